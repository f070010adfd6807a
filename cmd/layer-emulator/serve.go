package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/logging"
	"github.com/layerq/layerq/layer/layertest"
)

// shutdownTimeout is how long requests under way may finish after a signal:
// less than the 10 s after which containers are killed.
const shutdownTimeout = 5 * time.Second

// gcPercent trades some CPU for memory: the emulator's heap is nearly all
// messages that stay.
const gcPercent = 50

// listener is a server and where it serves.
type listener struct {
	net.Listener
	server *http.Server
	name   string
}

// page is where people see what the emulator holds, empty if not here.
func (l listener) page() string {
	scheme := "http"
	switch {
	case l.name != "api" && l.name != "control":
		return ""
	case l.server.TLSConfig != nil:
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String() + "/_emulator/"
}

func serve(ctx context.Context, s *settings, cfg layertest.Config, stderr io.Writer) (err error) {
	level, err := s.level()
	if err != nil {
		return err
	}
	log := logging.New(stderr, s.logFormat, level)
	cfg.Log = log
	console.OnSecondSignal(ctx, func(s os.Signal) {
		log.Warn("second signal, the emulator ends at once", "signal", s.String())
	})
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	all, err := s.listen()
	if err != nil {
		return err
	}
	defer closeAll(all)
	e, err := s.emulator(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if all, err = s.equip(all, e); err != nil {
		return err
	}
	for _, app := range cfg.Apps {
		log.Info("app", "app_id", app.ID.String())
	}
	return serveAll(ctx, log, all)
}

func (s *settings) emulator(cfg layertest.Config) (*layertest.Emulator, error) {
	if s.data == "" {
		return layertest.New(cfg), nil
	}
	e, err := layertest.Open(s.data, cfg)
	if err != nil {
		return nil, console.Usage(fmt.Errorf("%s %q: %w", s.name("data"), s.data, err))
	}
	return e, nil
}

// listen takes the ports first: one that is taken is found out before any
// state is read or written.
func (s *settings) listen() ([]listener, error) {
	wanted := []struct{ name, flag, addr string }{{"api", "addr", s.addr}}
	if s.controlAddr != "" && s.controlAddr != s.addr {
		wanted = append(wanted, struct{ name, flag, addr string }{"control", "control-addr", s.controlAddr})
	}
	if s.proxyAddr != "" {
		wanted = append(wanted, struct{ name, flag, addr string }{"proxy", "connect-proxy", s.proxyAddr})
	}
	var all []listener
	for _, w := range wanted {
		l, err := net.Listen("tcp", w.addr)
		if err != nil {
			closeAll(all)
			return nil, console.Usage(fmt.Errorf("%s %q: %w; want an address of this machine with a free port", s.name(w.flag), w.addr, err))
		}
		all = append(all, listener{Listener: l, name: w.name})
	}
	return all, nil
}

// equip gives each listener its server.
func (s *settings) equip(all []listener, e *layertest.Emulator) ([]listener, error) {
	api := e.HTTPServer()
	var err error
	if api.TLSConfig, err = s.tlsConfig(); err != nil {
		return nil, err
	}
	for i := range all {
		switch all[i].name {
		case "control":
			all[i].server = &http.Server{Handler: e.Control(), ReadHeaderTimeout: 10 * time.Second}
		case "proxy":
			inside := newHandover(all[i].Addr())
			all[i].server = &http.Server{
				Handler:           &proxy{inside: inside, own: all[0].Addr().String()},
				ReadHeaderTimeout: 10 * time.Second,
			}
			all = append(all, listener{inside, api, "api over the proxy"})
		default:
			all[i].server = api
		}
	}
	return all, nil
}

func closeAll(all []listener) {
	for _, l := range all {
		_ = l.Close() // closed by its server before, or never used
	}
}

// serveAll serves until the context ends or one of the servers fails.
func serveAll(ctx context.Context, log *slog.Logger, all []listener) error {
	failed := make(chan error, len(all))
	for _, l := range all {
		log.Info("serving", "what", l.name, "addr", l.Addr().String(), "tls", l.server.TLSConfig != nil, "page", l.page())
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
