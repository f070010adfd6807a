// Package testport gives the servers of a test ports that stay theirs while they are restarted.
package testport

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// The ports of servers are below those that the system gives to outgoing connections, so that one stays
// free while its server is restarted.
const lowest, ports = 20_000, 12_000

// taken are the ports of this process. Each has a locked file, so that another process does not take one whose server is
// away for a moment: its tasks would go there. The locks end with the process.
var taken struct {
	mu    sync.Mutex
	last  int
	locks []*os.File
}

func init() { taken.last = rand.IntN(ports) } // two processes seldom try the same one first

// Take returns a port of 127.0.0.1 that is this process' from now on. Another program that does not ask
// here may still take it before its server does: then take another one.
func Take(t testing.TB) int {
	t.Helper()
	taken.mu.Lock()
	defer taken.mu.Unlock()
	dir := filepath.Join(os.TempDir(), "layerq-ports-"+strconv.Itoa(os.Getuid())) //nolint:usetesting // other processes look there, too
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		taken.last = (taken.last + 1) % ports
		port := lowest + taken.last
		lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if lockFile(lock) == nil && isFree(t, port) {
			taken.locks = append(taken.locks, lock)
			return port
		}
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no free port")
	return 0
}

func isFree(t testing.TB, port int) bool {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return true
}
