package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/logging"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

const (
	envPrefix  = "LAYER_EMULATOR_"
	fileSuffix = "_FILE" // makes of a variable the one that names a file with its value
)

// settings are the values of the flags, each with a variable of its own.
type settings struct {
	addr        string
	controlAddr string
	apps        []string
	tokens      []string
	tlsCert     string
	tlsKey      string
	selfSigned  bool
	caFile      string
	tlsHosts    []string
	proxyAddr   string
	data        string
	publicURL   string
	downloadTTL time.Duration
	patchDelay  time.Duration
	rate        string
	latency     time.Duration
	seed        uint64
	logFormat   string
	logLevel    string
	switches    layertest.Switches

	variables map[string]string // of the flags that were set by one
	given     map[string]bool   // flags that were set, by a variable or on the command line
}

// name is how whoever set a flag knows it: as a variable or as a flag.
func (s *settings) name(flag string) string {
	if variable := s.variables[flag]; variable != "" {
		return variable
	}
	return "--" + flag
}

func (s *settings) register(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&s.addr, "addr", "127.0.0.1:18080", "`ADDR` to serve the API on; port 0 takes a free one")
	f.StringVar(&s.controlAddr, "control-addr", "", "`ADDR` to serve /_emulator/ on to any caller; the same as --addr opens it there")
	f.StringArrayVar(&s.apps, "app", nil, "app `ID`, a UUID or layer:///apps/...; repeat for several apps (default "+layertest.DefaultAppID+")")
	f.StringArrayVar(&s.tokens, "token", nil, "bearer `TOKEN` of the app at the same place (default "+layertest.DefaultToken+")")
	f.StringVar(&s.tlsCert, "tls-cert", "", "`FILE` with the certificate; serves HTTPS")
	f.StringVar(&s.tlsKey, "tls-key", "", "`FILE` with the key of --tls-cert")
	f.BoolVar(&s.selfSigned, "tls-self-signed", false, "serve HTTPS with a certificate made for api.layer.com and this machine")
	f.StringVar(&s.caFile, "tls-ca-file", "layer-emulator-ca.pem", "`FILE` to which --tls-self-signed writes the CA certificate that clients are to trust")
	f.StringArrayVar(&s.tlsHosts, "tls-host", nil, "another `HOST` name or address that the certificate is for; can be repeated")
	f.StringVar(&s.proxyAddr, "connect-proxy", "", "`ADDR` of a proxy that leads to api.layer.com, for programs that read HTTPS_PROXY; needs TLS")
	f.StringVar(&s.data, "data", "", "`DIR` that keeps the state; without it the state ends with the process")
	f.StringVar(&s.rate, "rate", "off", "`N/D`: requests that any window of that length may hold, as in 100/1s; 429 above it")
	f.DurationVar(&s.latency, "latency", 0, "duration `D` by which every answer is delayed")
	f.DurationVar(&s.downloadTTL, "download-ttl", time.Hour, "duration `D` for which an address to download rich content from works")
	f.DurationVar(&s.patchDelay, "patch-delay", time.Second, "duration `D` after which a patch of a user takes effect with --queued-patches")
	f.StringVar(&s.publicURL, "public-url", "", "base `URL` of the url members and of the addresses of rich content (default https://api.layer.com, and the host that was asked)")
	f.Uint64Var(&s.seed, "seed", 0, "a number `N` that makes ids and faults the same in each run; 0 is random")
	f.StringVar(&s.logFormat, "log-format", logging.Text, "`FORMAT` of what is logged to standard error: text or json")
	f.StringVar(&s.logLevel, "log-level", "info", "`LEVEL` from which on is logged: debug, info, warn or error")
}

// registerSwitches adds the emulator's switches.
func (s *settings) registerSwitches(f *pflag.FlagSet) {
	f.SortFlags = false
	for _, sw := range s.switches.List() {
		f.BoolVar(sw.Value, sw.Name, false, sw.Usage)
	}
}

// fromEnv sets the flags that were not given from their variables, and refuses
// variables that are none of them.
func (s *settings) fromEnv(flags *pflag.FlagSet, environ []string) error {
	var errs []error
	var known []string
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	s.variables = map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "version" {
			return
		}
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		known = append(known, name, name+fileSuffix)
		if f.Changed {
			return
		}
		value, ok, err := fromVariable(name, values)
		if err == nil && ok {
			s.variables[f.Name] = name
			for _, v := range valuesOf(f, value) {
				err = errors.Join(err, flags.Set(f.Name, v))
			}
		}
		if err != nil {
			errs = append(errs, console.Usage(fmt.Errorf("%s: %w", name, err)))
		}
	})
	s.given = map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { s.given[f.Name] = true })
	if unknown := config.Unknown(environ, envPrefix, known); len(unknown) > 0 {
		errs = append(errs, console.Usage(unknown))
	}
	return errors.Join(errs...)
}

// valuesOf splits the variable of a flag that can be repeated at its commas.
func valuesOf(f *pflag.Flag, value string) []string {
	if f.Value.Type() == "stringArray" {
		return strings.Split(value, ",")
	}
	return []string{value}
}

func fromVariable(name string, values map[string]string) (value string, ok bool, err error) {
	value, ok = values[name]
	file, inFile := values[name+fileSuffix]
	switch {
	case ok && inFile:
		return "", false, fmt.Errorf("%s_FILE is set, too; set one of them", name)
	case inFile:
		b, err := os.ReadFile(file)
		if err != nil {
			return "", false, fmt.Errorf("%s_FILE: %w", name, err)
		}
		return strings.TrimRight(string(b), "\r\n"), true, nil
	}
	return value, ok, nil
}

// check turns the values into a configuration. Its error names the flag, the
// value and what is allowed.
func (s *settings) check() (layertest.Config, error) {
	cfg := layertest.Config{
		Latency: s.latency, Seed: s.seed, Switches: s.switches,
		PublicURL: s.publicURL, DownloadTTL: s.downloadTTL, PatchDelay: s.patchDelay,
	}
	var errs []error
	wrong := func(flag, value, allowed string) {
		errs = append(errs, fmt.Errorf("%s %q: %s", s.name(flag), value, allowed))
	}
	if _, _, err := net.SplitHostPort(s.addr); err != nil {
		wrong("addr", s.addr, "want host:port, such as 127.0.0.1:18080")
	}
	if _, _, err := net.SplitHostPort(s.controlAddr); s.controlAddr != "" && err != nil {
		wrong("control-addr", s.controlAddr, "want host:port, such as 127.0.0.1:18081")
	}
	cfg.RemoteControl = s.controlAddr == s.addr
	var err error
	if cfg.Apps, err = s.checkApps(); err != nil {
		errs = append(errs, err)
	}
	if cfg.Rate, err = layertest.ParseRate(s.rate); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", s.name("rate"), err))
	}
	if s.latency < 0 {
		wrong("latency", s.latency.String(), "want a duration from 0")
	}
	if (s.tlsCert == "") != (s.tlsKey == "") {
		errs = append(errs, fmt.Errorf("%s and %s: want both or none", s.name("tls-cert"), s.name("tls-key")))
	}
	if s.tlsCert != "" && s.selfSigned {
		errs = append(errs, fmt.Errorf("%s and %s: want one of them", s.name("tls-cert"), s.name("tls-self-signed")))
	}
	errs = append(errs, s.checkProxy())
	if s.downloadTTL <= 0 {
		wrong("download-ttl", s.downloadTTL.String(), "want a duration above 0")
	}
	if s.patchDelay <= 0 {
		wrong("patch-delay", s.patchDelay.String(), "want a duration above 0")
	}
	if s.given["patch-delay"] && !s.switches.QueuedPatches {
		wrong("patch-delay", s.patchDelay.String(), "needs "+s.name("queued-patches")+", since without it no patch waits")
	}
	if u, err := url.Parse(s.publicURL); s.publicURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		wrong("public-url", s.publicURL, "want an http or https URL")
	}
	if s.logFormat != logging.Text && s.logFormat != logging.JSON {
		wrong("log-format", s.logFormat, "want text or json")
	}
	if _, err := s.level(); err != nil {
		wrong("log-level", s.logLevel, "want debug, info, warn or error")
	}
	if err := errors.Join(errs...); err != nil {
		return cfg, console.Usage(err)
	}
	return cfg, nil
}

func (s *settings) checkProxy() error {
	if s.proxyAddr == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(s.proxyAddr); err != nil {
		return fmt.Errorf("%s %q: want host:port, such as 127.0.0.1:18443", s.name("connect-proxy"), s.proxyAddr)
	}
	if s.tlsCert == "" && !s.selfSigned {
		return fmt.Errorf("%s %q: needs --tls-self-signed or --tls-cert, since what goes through it is HTTPS", s.name("connect-proxy"), s.proxyAddr)
	}
	return nil
}

func (s *settings) level() (slog.Level, error) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(s.logLevel, level.String()) {
			return level, nil
		}
	}
	return 0, errors.New("unknown level")
}

// checkApps pairs apps and tokens by their place.
func (s *settings) checkApps() ([]layertest.App, error) {
	apps, tokens := s.apps, s.tokens
	if len(apps) == 0 && len(tokens) <= 1 {
		apps = []string{layertest.DefaultAppID}
	}
	if len(tokens) == 0 && len(apps) == 1 {
		tokens = []string{layertest.DefaultToken}
	}
	if len(apps) != len(tokens) {
		return nil, fmt.Errorf("%s and %s: there are %d apps and %d tokens; want one token for each app", s.name("app"), s.name("token"), len(apps), len(tokens))
	}
	out := make([]layertest.App, len(apps))
	for i, app := range apps {
		id, err := layer.ParseAppID(app)
		if err != nil {
			return nil, fmt.Errorf("%s %q: want a UUID or layer:///apps/staging/UUID", s.name("app"), app)
		}
		if tokens[i] == "" || strings.ContainsAny(tokens[i], " \t\r\n") {
			return nil, fmt.Errorf("%s of app %s: want a token without spaces", s.name("token"), id)
		}
		out[i] = layertest.App{ID: id, Token: tokens[i]}
	}
	return out, nil
}
