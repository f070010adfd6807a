package layertest

import (
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/layerq/layerq/layer"
)

// Server is an [Emulator] that serves while a test runs.
type Server struct {
	*Emulator

	tb   testing.TB
	url  string
	http *http.Client
}

// Option changes how [NewServer] serves.
type Option func(*options)

type options struct {
	config Config
	tcp    bool
}

// WithConfig sets the emulator's configuration.
func WithConfig(cfg Config) Option { return func(o *options) { o.config = cfg } }

// WithTCP serves on a free port of 127.0.0.1 instead of in memory, for callers
// outside the test's process.
func WithTCP() Option { return func(o *options) { o.tcp = true } }

// NewServer starts an emulator that the end of the test closes. It serves in
// memory, without any port, through the client of [Server.HTTPClient].
func NewServer(t testing.TB, opts ...Option) *Server {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	e := New(o.config)
	s := &Server{Emulator: e, tb: t}
	var l net.Listener
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	if o.tcp {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatalf("layertest: %v", err)
		}
		s.url = "http://" + l.Addr().String()
	} else {
		pipes := newPipeListener()
		transport.DialContext = pipes.dial
		l, s.url = pipes, "http://"+memoryHost
	}
	s.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	server := e.HTTPServer()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("layertest: %v", err)
		}
	}()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close() // requests that hang are to end
		<-served
		if err := e.Close(); err != nil {
			t.Errorf("layertest: %v", err)
		}
	})
	return s
}

// URL is the base URL of the API.
func (s *Server) URL() string { return s.url }

// HTTPClient reaches the server, also in memory. It follows no redirect.
func (s *Server) HTTPClient() *http.Client { return s.http }

// App is the id of the first app served.
func (s *Server) App() layer.AppID { return s.config.Apps[0].ID }

// Token is the token of the first app served.
func (s *Server) Token() string { return s.config.Apps[0].Token }

// Client returns a client of the server's first app, with the given options on
// top.
func (s *Server) Client(t testing.TB, opts ...layer.Option) *layer.Client {
	t.Helper()
	opts = append([]layer.Option{layer.WithBaseURL(s.URL()), layer.WithHTTPClient(s.http)}, opts...)
	c, err := layer.New(s.App(), s.Token(), opts...)
	if err != nil {
		t.Fatalf("layertest: %v", err)
	}
	return c
}

// Fault adds rules, tried in order after those in force.
func (s *Server) Fault(rules ...Rule) {
	s.tb.Helper()
	if err := s.AddFaults(rules...); err != nil {
		s.tb.Fatalf("layertest: %v", err)
	}
}

// FailNext answers the next requests with these statuses, one each, after they
// took effect: the emulator does the work and loses the answer.
func (s *Server) FailNext(statuses ...int) {
	s.tb.Helper()
	for _, status := range statuses {
		s.Fault(Rule{Status: status, AfterCommit: true, Count: new(1)})
	}
}

// RefuseNext answers the next requests with these statuses, one each, without
// any effect.
func (s *Server) RefuseNext(statuses ...int) {
	s.tb.Helper()
	for _, status := range statuses {
		s.Fault(Rule{Status: status, Count: new(1)})
	}
}

// firstApp is the state that assertions look at.
func (s *Server) firstApp() *app { return s.apps[s.App().UUID()] }

// AddConversation makes a conversation without a request, for tests that need
// one to start from.
func (s *Server) AddConversation(participants ...string) layer.ConversationID {
	id := s.newID()
	_, _ = s.firstApp().update(func(tx *tx) (answer, *failure) { // in memory, nothing can fail
		tx.addConversation(id, newRoster(participants), false, nil)
		return answer{}, nil
	})
	return layer.ConversationID(id)
}
