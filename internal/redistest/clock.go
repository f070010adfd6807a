package redistest

import (
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// tick is how late an expiry of the embedded Redis may be. miniredis walks over
// all keys at each tick, so it must not be too short either.
const tick = 10 * time.Millisecond

// runClock makes expiries of m follow the wall clock, as TIME does by itself,
// until stop is called. miniredis' own ClockTTL walks over all keys at every
// command, which is too slow for tests with many tasks.
func runClock(m *miniredis.Miniredis) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				now := time.Now()
				m.FastForward(now.Sub(last))
				last = now
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}
