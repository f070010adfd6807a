//go:build faults && linux

package faults

import (
	"syscall"
	"testing"
	"time"
)

// All workers are replaced one after the other, twice, as a deploy does: the new one is
// there before the old one is told to end.
func TestDeploy_twice(t *testing.T) {
	t.Parallel()
	ours(t, func(t *testing.T, e engine) {
		t.Helper()
		s := newSite(t, e, setup{latency: 300 * time.Millisecond})
		l := s.load(rowTasks())
		s.start(3)
		var over time.Time
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 2 {
				for _, old := range s.living() {
					<-time.After(span() / 8)
					s.worker()
					old.signal(syscall.SIGTERM)
					if code := old.wait(time.Minute); code != 0 && e == layerq {
						t.Errorf("%s ended with %d", old.name, code)
					}
				}
			}
			over = time.Now()
		}()
		l.enqueue(span())
		<-done
		b := s.close(l, over, allowed{})
		s.record("worker: all replaced, twice", b)
	})
}
