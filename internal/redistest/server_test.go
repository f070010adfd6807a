package redistest

import (
	"net"
	"strings"
	"testing"
)

func TestServerThatCannotStartIsNotTakenForAnother(t *testing.T) {
	t.Parallel()
	s := NewServer(t, "--appendonly", "yes", "--appendfsync", "always")
	rdb := newClient(t, s.Addr, 0)
	if err := rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	other, err := new(net.ListenConfig).Listen(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.start(t); err == nil || !strings.Contains(err.Error(), " ended:") {
		t.Errorf("on a port that somebody else has: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	if got := rdb.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("after a restart there is %q, want %q", got, "v")
	}
}
