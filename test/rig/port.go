//go:build linux

package rig

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// The ports of servers are below those that the system gives to outgoing connections, so that one stays
// free while its server is restarted.
const lowestPort, ports = 20_000, 12_000

// taken are the ports of this process. Each has a locked file, so that another suite does not take one whose server is
// away for a moment: its tasks would go there. The locks end with the process.
var taken struct {
	mu    sync.Mutex
	last  int
	locks []*os.File
}

func init() { taken.last = rand.IntN(ports) } // two suites seldom try the same one first

// freePort returns a port that is this process' from now on.
func freePort(t *testing.T) int {
	t.Helper()
	taken.mu.Lock()
	defer taken.mu.Unlock()
	dir := filepath.Join(os.TempDir(), "layerq-ports-"+strconv.Itoa(os.Getuid())) //nolint:usetesting // other suites look there, too
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		taken.last = (taken.last + 1) % ports
		port := lowestPort + taken.last
		lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && isFree(t, port) {
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

func isFree(t *testing.T, port int) bool {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", local(port))
	if err != nil {
		return false
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return true
}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
