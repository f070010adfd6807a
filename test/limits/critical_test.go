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
		most    int           // calls of queue default in a second
		wait    time.Duration // of a critical call
		others  int           // calls that go before it: what that time has room for
	}{
		// A critical call waits for the first permit that comes free, whoever waits for it: with
		// a fast API they come free together, once a second.
		"half is reserved":    {"50%", 10, 500 * time.Millisecond, 10},
		"nothing is reserved": {"0%", 20, 1500 * time.Millisecond, 40},
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
			slowest, others := time.Duration(0), 0
			room := s.room()
			for i := range 10 {
				begin := time.Now()
				s.enqueueTo(room, "critical")
				rig.Eventually(t, 10*time.Second, "the critical call", func() bool { return s.arrivals().to(room) > i })
				now := s.arrivals()
				at := now.lastTo(room)
				slowest, others = max(slowest, at.Sub(begin)), max(others, len(now.from(begin).until(at)))
				<-time.After(130 * time.Millisecond) // at no fixed time of a second
			}
			all := s.arrivals()
			t.Logf("critical calls arrived after %s at most, behind %d others at most; %d refused of %d", slowest.Round(time.Millisecond), others, all.refused(), len(all))
			if others > c.others {
				t.Errorf("%d calls went before a critical one, want %d at most", others, c.others)
			}
			if want := inLong(c.wait, 4*c.wait); slowest > want { // others take the processors' time in the short form
				t.Errorf("a critical call arrived after %s, want %s", slowest, want)
			}
			if all.refused() > 0 || all.most(time.Second) > 20 {
				t.Errorf("%d refused, %d in one second", all.refused(), all.most(time.Second))
			}
		})
	}
}
