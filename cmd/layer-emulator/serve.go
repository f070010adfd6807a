package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/layerq/layerq/internal/logging"
	"github.com/layerq/layerq/layer/layertest"
)

// shutdownTimeout is how long requests under way may finish after a signal:
// less than the 10 s after which containers are killed.
const shutdownTimeout = 5 * time.Second

// listener is a server and where it serves.
type listener struct {
	net.Listener
	server *http.Server
	name   string
}

func serve(ctx context.Context, s settings, cfg layertest.Config, stderr io.Writer) error {
	level, err := s.level()
	if err != nil {
		return err
	}
	log := logging.New(stderr, s.logFormat, level)
	cfg.Log = log
	e := layertest.New(cfg)
	all, err := s.listen(e)
	if err != nil {
		return err
	}
	return serveAll(ctx, log, all)
}

func (s *settings) listen(e *layertest.Emulator) ([]listener, error) {
	api := e.HTTPServer()
	if s.tlsCert != "" {
		cert, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
		if err != nil {
			return nil, usageError{fmt.Errorf("--tls-cert %q and --tls-key %q: %w", s.tlsCert, s.tlsKey, err)}
		}
		api.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	all := []listener{{server: api, name: "api"}}
	addrs := map[string]string{"api": s.addr}
	flags := map[string]string{"api": "addr"}
	if s.controlAddr != "" && s.controlAddr != s.addr {
		control := &http.Server{Handler: e.Control(), ReadHeaderTimeout: 10 * time.Second}
		all = append(all, listener{server: control, name: "control"})
		addrs["control"], flags["control"] = s.controlAddr, "control-addr"
	}
	for i := range all {
		l, err := net.Listen("tcp", addrs[all[i].name])
		if err != nil {
			for _, open := range all[:i] {
				_ = open.Close() // nothing was served on it
			}
			return nil, usageError{fmt.Errorf("--%s %q: %w; want an address of this machine with a free port", flags[all[i].name], addrs[all[i].name], err)}
		}
		all[i].Listener = l
	}
	return all, nil
}

// serveAll serves until the context ends or one of the servers fails.
func serveAll(ctx context.Context, log *slog.Logger, all []listener) error {
	failed := make(chan error, len(all))
	for _, l := range all {
		log.Info("serving", "what", l.name, "addr", l.Addr().String(), "tls", l.server.TLSConfig != nil)
		go func() {
			if l.server.TLSConfig != nil {
				failed <- l.server.ServeTLS(l, "", "")
			} else {
				failed <- l.server.Serve(l)
			}
		}()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping")
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	for _, l := range all {
		if l.server.Shutdown(shutdown) != nil {
			err = errors.Join(err, l.server.Close()) // requests that hang on purpose
		}
	}
	return err
}
