package testport_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/layerq/layerq/internal/testport"
)

func TestPortIsFreeAndTakenOnce(t *testing.T) {
	t.Parallel()
	seen := make(map[int]bool)
	for range 20 {
		port := testport.Take(t)
		if seen[port] {
			t.Errorf("port %d is taken twice", port)
		}
		seen[port] = true
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() }) // it stays taken meanwhile
	}
}
