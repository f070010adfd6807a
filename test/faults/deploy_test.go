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
	row{name: "worker: all replaced, twice", compare: true, latency: 300 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		over := make(chan time.Time)
		go func() {
			for range 2 {
				for _, old := range s.Living() {
					<-time.After(span() / 8)
					s.Worker()
					old.Signal(syscall.SIGTERM)
					if code := old.Wait(time.Minute); code != 0 {
						s.failf("%s ended with %d", old.Name, code)
					}
				}
			}
			over <- time.Now()
		}()
		l.enqueue(span())
		s.finish(l, <-over, allowed{}, patience)
	})
}
