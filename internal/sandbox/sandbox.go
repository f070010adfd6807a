// Package sandbox serves a Redis and a Layer API from this process: what a
// worker runs on where nothing is configured. Nothing is kept when it ends.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// The conversation that is there from the start, so that a first message has
// somewhere to go, and the users in it.
const conversation = "22222222-2222-4222-8222-222222222222"

var participants = []string{"alice", "bob"}

// Options say where the sandbox serves and which app it has.
type Options struct {
	// RedisAddr and LayerAddr are host:port of loopback addresses.
	RedisAddr, LayerAddr string
	App                  layer.AppID
	Token                string
	// Log gets what an operator wants to know of the emulator.
	Log *slog.Logger
}

// A Sandbox is a running Redis and Layer API. Close it.
type Sandbox struct {
	// Conversation is there, with the users "alice" and "bob" in it.
	Conversation layer.ConversationID

	closers []func()
}

// A PortError is an address that is taken.
type PortError struct {
	Addr    string // host:port
	What    string // what was to be served there
	Setting string // what to set to need it no more
}

func (e *PortError) Error() string {
	return fmt.Sprintf("%s, where the sandbox serves its %s, is taken by another process: end that one (another sandbox?), or set %s to use one of your own", e.Addr, e.What, e.Setting)
}

// Start serves Redis and the Layer API until Close. A port that is taken is a
// [*PortError]; nothing is left running then.
func Start(ctx context.Context, opts Options) (_ *Sandbox, err error) {
	s := new(Sandbox)
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.serveRedis(opts.RedisAddr); err != nil {
		return nil, listenError(err, &PortError{opts.RedisAddr, "Redis", "REDIS_URL"})
	}
	base, err := s.serveLayer(ctx, opts)
	if err != nil {
		return nil, listenError(err, &PortError{opts.LayerAddr, "Layer emulator", "LAYER_BASE_URL"})
	}
	return s, s.createConversation(ctx, base, opts)
}

// Close ends everything, and forgets it.
func (s *Sandbox) Close() {
	for _, closer := range slices.Backward(s.closers) {
		closer()
	}
	s.closers = nil
}

func (s *Sandbox) serveRedis(addr string) error {
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr(addr); err != nil {
		return err
	}
	s.closers = append(s.closers, m.Close, runClock(m))
	return nil
}

func (s *Sandbox) serveLayer(ctx context.Context, opts Options) (baseURL string, err error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", opts.LayerAddr)
	if err != nil {
		return "", err
	}
	emulator := layertest.New(layertest.Config{Apps: []layertest.App{{ID: opts.App, Token: opts.Token}}, Log: opts.Log})
	srv := emulator.HTTPServer()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			opts.Log.Error("emulator stopped", "error", err)
		}
	}()
	s.closers = append(s.closers, func() {
		_ = srv.Close() // requests that hang are cut
		<-served
		if err := emulator.Close(); err != nil {
			opts.Log.Error("emulator not closed", "error", err)
		}
	})
	return "http://" + ln.Addr().String(), nil
}

func (s *Sandbox) createConversation(ctx context.Context, baseURL string, opts Options) error {
	api, err := layer.New(opts.App, opts.Token, layer.WithBaseURL(baseURL))
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer api.Close()
	created, err := api.Conversations.Create(ctx, uuid.MustParse(conversation), layer.CreateConversationRequest{Participants: participants})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	s.Conversation = created.ID
	return nil
}

func listenError(err error, taken *PortError) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return taken
	}
	return fmt.Errorf("sandbox: %s on %s: %w", taken.What, taken.Addr, err)
}

// tick is how late an expiry may be. miniredis walks over all keys at each.
const tick = 100 * time.Millisecond

// runClock makes the expiries of m follow the wall clock, which they do not by
// themselves, until stop is called.
func runClock(m *miniredis.Miniredis) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-done:
				return
			case now := <-ticker.C:
				m.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
