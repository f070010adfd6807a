//go:build limits && linux

package limits

import (
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// Half of the limit is for queue critical alone, whether or not it wants it; and what waits
// in queue critical of one worker goes before all that waits in another.
func TestCritical(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reserve string
		most    int // calls of queue default in a second
		wait    time.Duration
	}{
		// A critical call waits for the first permit that comes free, whoever waits for it: with
		// a fast API they come free together, once a second.
		"half is reserved":    {"50%", 10, 500 * time.Millisecond},
		"nothing is reserved": {"0%", 20, 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "LAYERQ_RATE_LIMIT=20/1s", "LAYERQ_CRITICAL_RESERVE="+c.reserve)
			s.emulator.Limit("20/1s")
			s.enqueue(600, "default")
			s.Worker("LAYERQ_QUEUES=default=64")
			s.Worker("LAYERQ_QUEUES=critical=4")
			rig.Eventually(t, 20*time.Second, "calls", func() bool { return len(s.arrivals()) >= 2*c.most })
			calm := s.arrivals()
			if got := calm.most(time.Second); got > c.most {
				t.Errorf("%d calls of queue default in a second, want %d", got, c.most)
			}
			var slowest time.Duration
			room := s.room()
			for i := range 10 {
				begin := time.Now()
				s.enqueueTo(room, "critical")
				rig.Eventually(t, 10*time.Second, "the critical call", func() bool { return s.arrivals().to(room) > i })
				slowest = max(slowest, s.arrivals().lastTo(room).Sub(begin))
				<-time.After(130 * time.Millisecond) // at no fixed time of a second
			}
			all := s.arrivals()
			t.Logf("critical calls arrived after %s at most; %d refused of %d", slowest.Round(time.Millisecond), all.refused(), len(all))
			if slowest > c.wait {
				t.Errorf("a critical call arrived after %s, want %s", slowest, c.wait)
			}
			if all.refused() > 0 || all.most(time.Second) > 20 {
				t.Errorf("%d refused, %d in one second", all.refused(), all.most(time.Second))
			}
		})
	}
}
