package redisurl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"

	"github.com/redis/go-redis/v9"
)

// tlsFiles collects the options that concern TLS, which make sense together only.
type tlsFiles struct {
	on                        *bool
	caFile, certFile, keyFile string
	serverName                string
	skipVerify                bool
	first                     string // the name of one that was given
}

// option returns the setter of a TLS option.
func (f *tlsFiles) option(name string) (option, bool) {
	set := func(field *string) option {
		return func(_ *redis.UniversalOptions, value string) error {
			*field, f.first = value, name
			return nil
		}
	}
	switch name {
	case "tls":
		return func(_ *redis.UniversalOptions, value string) error {
			on, err := parseBool(value)
			f.on = &on
			return err
		}, true
	case "tls_ca_file":
		return set(&f.caFile), true
	case "tls_cert_file":
		return set(&f.certFile), true
	case "tls_key_file":
		return set(&f.keyFile), true
	case "tls_server_name":
		return set(&f.serverName), true
	case "tls_skip_verify", "skip_verify":
		return func(_ *redis.UniversalOptions, value string) (err error) {
			f.skipVerify, err = parseBool(value)
			f.first = name
			return err
		}, true
	}
	return nil, false
}

// apply sets TLSConfig where TLS is on; a tuned one is kept as the base.
func (f *tlsFiles) apply(u *parts, opts *redis.UniversalOptions) error {
	on := u.tls || opts.TLSConfig != nil
	if f.on != nil {
		if u.tls && !*f.on {
			return fail("option tls", "the scheme says otherwise")
		}
		on = *f.on
	}
	if !on {
		opts.TLSConfig = nil
		if f.first != "" {
			return fail("option "+f.first, "TLS is off; use rediss:// or tls=true")
		}
		return nil
	}
	if u.kind == socket {
		return fail("option tls", "a socket has no TLS")
	}
	cfg := opts.TLSConfig.Clone()
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if u.kind == single && cfg.ServerName == "" {
		// The nodes of a Cluster and the master have names of their own.
		cfg.ServerName, _, _ = net.SplitHostPort(u.hosts[0])
	}
	if f.serverName != "" {
		cfg.ServerName = f.serverName
	}
	cfg.InsecureSkipVerify = cfg.InsecureSkipVerify || f.skipVerify
	opts.TLSConfig = cfg
	return f.load(cfg)
}

// load reads the files.
func (f *tlsFiles) load(cfg *tls.Config) error {
	if f.caFile != "" {
		pem, err := os.ReadFile(f.caFile)
		if err != nil {
			return fail("option tls_ca_file", "%s", fileError(err))
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return fail("option tls_ca_file", "the file holds no PEM certificate")
		}
	}
	switch {
	case f.certFile == "" && f.keyFile == "":
		return nil
	case f.certFile == "":
		return fail("option tls_key_file", "it needs tls_cert_file as well")
	case f.keyFile == "":
		return fail("option tls_cert_file", "it needs tls_key_file as well")
	}
	pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return fail("option tls_cert_file", "%s", fileError(err))
	}
	cfg.Certificates = []tls.Certificate{pair}
	return nil
}

// fileError names the file; the errors of crypto/tls for a bad one hold nothing of its content.
func fileError(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Path + ": " + path.Err.Error()
	}
	return err.Error()
}
