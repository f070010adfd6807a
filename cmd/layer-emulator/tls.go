package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/layerq/layerq/internal/console"
)

const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour // some systems refuse what is valid for more than 825 days
)

// tlsConfig returns what the settings ask for, or nil for plain HTTP.
func (s *settings) tlsConfig() (*tls.Config, error) {
	switch {
	case s.tlsCert != "":
		cert, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
		if err != nil {
			return nil, console.Usage(fmt.Errorf("%s %q and %s %q: %w", s.name("tls-cert"), s.tlsCert, s.name("tls-key"), s.tlsKey, err))
		}
		return serverTLS(cert), nil
	case s.selfSigned:
		cert, err := s.selfSign()
		if err != nil {
			return nil, err
		}
		return serverTLS(cert), nil
	default:
		return nil, nil //nolint:nilnil // no TLS, and nothing wrong
	}
}

// serverTLS takes TLS 1.0 too: some of the programs of 2016 know no more.
func serverTLS(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2", "http/1.1"}} //nolint:gosec // as above
}

// authority signs the emulator's certificate. Its own certificate is what
// clients are told to trust.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// selfSign makes a certificate for api.layer.com and this machine, and writes
// that of its authority to a file. With --data the authority is kept, so that
// clients that trust it need not be told again.
func (s *settings) selfSign() (tls.Certificate, error) {
	ca, err := s.authority()
	if err != nil {
		return tls.Certificate{}, err
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
	if err := os.WriteFile(s.caFile, file, 0o644); err != nil { //nolint:gosec // it is there to be read by others
		return tls.Certificate{}, console.Usage(fmt.Errorf("%s %q: %w", s.name("tls-ca-file"), s.caFile, err))
	}
	return ca.issue(s.names())
}

// names are the hosts that the certificate is for.
func (s *settings) names() []string {
	names := append([]string{"api.layer.com", "localhost", "127.0.0.1", "::1"}, s.tlsHosts...)
	if host, _, err := net.SplitHostPort(s.addr); err == nil && host != "" {
		names = append(names, host)
	}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *settings) authority() (*authority, error) {
	if s.data == "" {
		return newAuthority()
	}
	path := filepath.Join(s.data, "ca.pem")
	ca, err := loadAuthority(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return ca, err
	}
	if ca, err = newAuthority(); err != nil {
		return nil, err
	}
	return ca, ca.save(path)
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "layer-emulator, for development"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(caLifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert, key}, err
}

func (ca *authority) issue(names []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "api.layer.com"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(leafLifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	return tls.Certificate{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: key}, err
}

func (ca *authority) save(path string) error {
	der, err := x509.MarshalECPrivateKey(ca.key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...)
	return os.WriteFile(path, text, 0o600)
}

func loadAuthority(path string) (*authority, error) {
	pair, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: its key is of another kind", path)
	}
	return &authority{pair.Leaf, key}, nil
}

func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return new(big.Int).SetBytes(b)
}
