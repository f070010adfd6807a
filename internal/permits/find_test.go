package permits

import (
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// unlimited makes a fleet before a server whose limit nobody was told.
func unlimited(seed uint64, low, high time.Duration, tasks int, limit func(time.Duration) int) *world {
	w := newWorld(seed, Options{Auto: true})
	w.newOut = func() *link { return &link{s: w.sim, low: low / 2, high: high / 2} }
	w.api.limit = limit
	busy(w, 3, tasks)
	return w
}

func fixed(n int) func(time.Duration) int { return func(time.Duration) int { return n } }

func (w *world) wantUse(t *testing.T, what string, from, to time.Duration, used, refused float64) {
	t.Helper()
	gotUsed, gotRefused := w.api.used(from, to), w.api.refused(from, to)
	if gotUsed < used || gotRefused > refused {
		t.Errorf("%s, from %s to %s: %.3f used and %.4f refused, want %.2f and %.2f", what, from, to, gotUsed, gotRefused, used, refused)
	}
}

func TestAutoFindsTheLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit     int
		low, high time.Duration
		used      float64
	}{
		"100/s near":                {100, 2 * ms, 4 * ms, 0.95},
		"100/s, 20 to 200 ms away":  {100, 20 * ms, 200 * ms, 0.85},
		"10/s near":                 {10, 2 * ms, 4 * ms, 0.95},
		"10/s, 20 to 200 ms away":   {10, 20 * ms, 200 * ms, 0.85},
		"1000/s near":               {1000, 2 * ms, 4 * ms, 0.95},
		"1000/s, 20 to 200 ms away": {1000, 20 * ms, 200 * ms, 0.85},
		"5/s near":                  {5, 2 * ms, 4 * ms, 0.95},
	} {
		w := unlimited(1, c.low, c.high, max(16, c.limit/2), fixed(c.limit))
		w.run(130 * time.Second)
		w.wantUse(t, name, 55*time.Second, 65*time.Second, 0.80, 0.10)
		w.wantUse(t, name, 60*time.Second, 130*time.Second, c.used, 0.02)
	}
}

// The others have a share of what was found, so what is found without critical calls is more than the API's limit. When
// critical ones come, it is found out anew.
func TestAutoWithAReserve(t *testing.T) {
	t.Parallel()
	w := newWorld(1, Options{Auto: true, CriticalReserve: 10})
	w.newOut = func() *link { return &link{s: w.sim, low: ms, high: 2 * ms} }
	w.api.limit = fixed(100)
	busy(w, 3, 50)
	w.run(2 * time.Minute)
	w.wantUse(t, "before critical ones", time.Minute, 2*time.Minute, 0.85, 0.02)
	if got := w.workers[0].core.last.limit; got < 100 || got > 112 {
		t.Errorf("the limit is %d before critical ones, want 100 to 112", got)
	}
	w.start(map[string]int{queue.Critical: 50})
	w.run(4 * time.Minute)
	w.wantUse(t, "with critical ones", 2*time.Minute, 4*time.Minute, 0.85, 0.02)
	if got := w.workers[0].core.last.limit; got < 90 || got > 101 {
		t.Errorf("the limit is %d with critical ones, want 90 to 101", got)
	}
}

func TestAutoFollowsALimitThatMoves(t *testing.T) {
	t.Parallel()
	w := unlimited(1, 20*ms, 60*ms, 100, func(now time.Duration) int {
		switch {
		case now < 100*time.Second:
			return 100
		case now < 200*time.Second:
			return 50
		}
		return 200
	})
	w.run(320 * time.Second)
	w.wantUse(t, "100/s", 60*time.Second, 100*time.Second, 0.90, 0.02)
	w.wantUse(t, "halved", 110*time.Second, 200*time.Second, 0.85, 0.02)
	w.wantUse(t, "fourfold", 250*time.Second, 320*time.Second, 0.85, 0.02)
	if cuts := w.api.refused(100*time.Second, 110*time.Second); cuts > 0.25 {
		t.Errorf("%.2f of the calls were refused in the 10 s after the limit was halved, want at most a quarter", cuts)
	}
}

// Without work nothing is learned: the limit stays where it is.
func TestAutoClimbsOnlyWhenTheLimitIsUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(1, Options{Auto: true})
	w.api.limit = fixed(1000)
	w.rest = func() time.Duration { return time.Second }
	busy(w, 2, 4) // 8 calls a second
	w.run(5 * time.Minute)
	if got := w.workers[0].core.last.limit; got != findStart {
		t.Errorf("the limit is %d after 5 minutes at 8 calls a second, want %d as in the beginning", got, findStart)
	}
}

// What was found is in Redis: new workers begin with it.
func TestAutoRemembers(t *testing.T) {
	t.Parallel()
	w := unlimited(1, 2*ms, 4*ms, 64, fixed(100))
	w.run(time.Minute)
	for _, worker := range w.workers {
		worker.kill()
	}
	w.run(10 * time.Minute)
	w.start(map[string]int{queue.Default: 64})
	w.run(10*time.Minute + 20*time.Second)
	w.wantUse(t, "after a restart", 10*time.Minute, 10*time.Minute+20*time.Second, 0.90, 0.02)
}

// One burst of refused calls is one cut, whichever workers made them.
func TestAutoCutsOncePerBurst(t *testing.T) {
	t.Parallel()
	f := &finding{low: 93, top: 100, used: findLinger, ok: 1000}
	before := f.limit(10*second, second, nil, nil)
	var burst []int64
	for i := range int64(50) {
		burst = append(burst, 9*second+i)
	}
	f.limit(10*second, second, nil, burst[:1])
	after := f.limit(10*second+1, second, nil, burst[1:])
	again := f.limit(11*second, second, nil, []int64{10*second + second/2})
	if before != 100 || after < 92 || after > 93 || again < after {
		t.Errorf("the limit went from %d to %d to %d, want one cut from 100 to 93", before, after, again)
	}
}
