package redistest

import (
	"context"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server process of a test's own, which may be configured,
// killed and started again.
type Server struct {
	// Addr is its host:port.
	Addr string

	dir  string
	args []string
	cmd  *exec.Cmd
}

// NewServer starts a redis-server with arguments such as "--requirepass", "x", and
// waits until it answers. The end of the test ends it. Where none is
// installed the test is skipped.
func NewServer(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs a redis-server")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: ln.Addr().String(), dir: t.TempDir(), args: args}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	t.Cleanup(s.Kill)
	return s
}

// Own returns a client of a Redis that belongs to t alone, its scripts and channels included: those
// are a server's, not a database's. Where the tests run on a real Redis it is one more [NewServer].
func Own(t testing.TB) redis.UniversalClient {
	t.Helper()
	if !Real() {
		return New(t)
	}
	return newClient(t, NewServer(t).Addr, 0)
}

// Start starts it again after a [Server.Kill], on the same port and directory.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	//nolint:gosec // G204: the arguments are those of a test
	s.cmd = exec.Command("redis-server", append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--save", ""}, s.args...)...)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	for {
		err := rdb.Ping(ctx).Err()
		if _, answered := err.(redis.Error); err == nil || answered { //nolint:errorlint // an answer is never wrapped
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("redis-server does not answer: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Kill ends it at once, as kill -9 does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
}
