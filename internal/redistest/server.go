package redistest

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/testlog"
	"github.com/layerq/layerq/internal/testport"
)

// Server is a redis-server process of a test's own, which may be configured,
// killed and started again.
type Server struct {
	// Addr is its host:port.
	Addr string

	dir  string
	args []string
	kill func() // the process that was started last
}

// starts is on how many ports a server is tried.
const starts = 5

// NewServer starts a redis-server with arguments such as "--requirepass", "x", and
// waits until it answers. The end of the test ends it. Where none is
// installed the test is skipped.
func NewServer(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs a redis-server")
	}
	s := &Server{dir: t.TempDir(), args: args}
	t.Cleanup(s.Kill)
	var err error
	for range starts { // another program may have the port, and a server with wrong arguments ends on every one
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(testport.Take(t)))
		if err = s.start(t); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
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
	if err := s.start(t); err != nil {
		t.Fatal(err)
	}
}

// ready is what a redis-server says when it has its port and its data.
const ready = "Ready to accept connections"

// start fails if the server ends at once, as it does where the port is not free.
func (s *Server) start(t testing.TB) error {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	var log testlog.Buffer
	//nolint:gosec // G204: the arguments are those of a test
	cmd := exec.Command("redis-server", append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--save", ""}, s.args...)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it was killed, or log says why it ended
		close(ended)
	}()
	s.kill = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	// What it says is waited for, not an answer: at that port, somebody else's might answer.
	isReady := func() bool { return strings.Contains(log.String(), ready) }
	Eventually(t, "redis-server is ready", func() bool {
		select {
		case <-ended:
			return true
		default:
			return isReady()
		}
	})
	if !isReady() {
		return fmt.Errorf("redis-server at %s ended:\n%s", s.Addr, log.String())
	}
	return nil
}

// Kill ends it at once, as kill -9 does.
func (s *Server) Kill() {
	if s.kill != nil {
		s.kill()
	}
}
