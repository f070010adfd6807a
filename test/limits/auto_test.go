//go:build limits && linux

package limits

import (
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// Nobody tells the workers what the limit is. They find it, at the cost of few refused
// calls, follow it when it moves, and know it after a restart.
func TestAuto(t *testing.T) {
	t.Parallel()
	s := newSite(t, "LAYERQ_RATE_LIMIT=auto", "LAYERQ_CRITICAL_RESERVE=0%", "LAYERQ_RETRY_MIN=100ms", "LAYERQ_RETRY_MAX=1s")
	s.emulator.Limit("100/1s")
	if !*long {
		s.enqueue(5_000, "default")
		s.Start(3)
		s.phase("in the 5 s after 25 s", 100, 25*time.Second, 5*time.Second, 0.80, 0.10)
		return
	}
	s.enqueue(60_000, "default")
	s.Start(3)
	s.phase("in the 5 s before a minute", 100, 55*time.Second, 5*time.Second, 0.80, 0.10)
	s.phase("in the 90 s after that", 100, 0, 90*time.Second, 0.85, 0.02)
	s.emulator.Limit("40/1s")
	s.phase("15 s after the limit fell to 40", 40, 15*time.Second, 60*time.Second, 0.85, 0.02)
	s.emulator.Limit("150/1s")
	s.phase("30 s after it rose to 150", 150, 30*time.Second, 60*time.Second, 0.85, 0.02)
	s.Stop()
	s.Start(3)
	rig.Eventually(t, 20*time.Second, "the workers run", func() bool {
		return strings.Contains(s.Living()[2].Output(), "worker takes tasks")
	})
	s.phase("in the first 10 s of new workers", 150, 0, 10*time.Second, 0.80, 0.05)
}

// phase lets time pass, and judges some more.
func (s *site) phase(what string, n int, pass, measure time.Duration, used, refused float64) {
	s.t.Helper()
	<-time.After(pass)
	from := time.Now()
	<-time.After(measure)
	got := s.arrivals().from(from).until(from.Add(measure))
	gotUsed := got.used(n, time.Second, from, from.Add(measure))
	gotRefused := float64(got.refused()) / float64(max(1, len(got)))
	s.t.Logf("%s: %.1f %% of %d/1s used, %.2f %% refused", what, 100*gotUsed, n, 100*gotRefused)
	if gotUsed < used || gotRefused > refused {
		s.t.Errorf("%s: want %.0f %% used and %.0f %% refused", what, 100*used, 100*refused)
	}
}
