package permits

import (
	"slices"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

func busy(w *world, workers, tasks int) {
	for range workers {
		w.start(map[string]int{queue.Default: tasks})
	}
}

func TestLimitIsUsed(t *testing.T) {
	t.Parallel()
	jitter := [2]time.Duration{10 * ms, 100 * ms} // one way: 20 to 200 ms for a call
	near := [2]time.Duration{ms, 2 * ms}
	for name, c := range map[string]struct {
		limit   Limit
		way     [2]time.Duration
		killing bool
		want    float64
	}{
		"100/1s":                        {Limit{100, time.Second}, near, false, 0.99},
		"50/1s":                         {Limit{50, time.Second}, near, false, 0.99},
		"3/1s":                          {Limit{3, time.Second}, near, false, 0.99},
		"1000/1m":                       {Limit{1000, time.Minute}, near, false, 0.99},
		"50/1s, 20 to 200 ms":           {Limit{50, time.Second}, jitter, false, 0.90}, // 1 s of 1.11 s
		"1000/1m, 20 to 200 ms":         {Limit{1000, time.Minute}, jitter, false, 0.99},
		"50/1s, one killed every 5 s":   {Limit{50, time.Second}, near, true, 0.97},
		"50/1s, 20 to 200 ms, kills":    {Limit{50, time.Second}, jitter, true, 0.88},
		"1000/1m, one killed every 5 s": {Limit{1000, time.Minute}, near, true, 0.99},
	} {
		w := newWorld(1, Options{Limit: c.limit})
		w.newOut = func() *link { return &link{s: w.sim, low: c.way[0], high: c.way[1]} }
		busy(w, 3, 64)
		if c.killing {
			w.killEvery(5*time.Second, map[string]int{queue.Default: 64})
		}
		end := max(60*time.Second, 10*c.limit.Per)
		w.run(end)
		if got := w.api.used(0, end); got < c.want {
			t.Errorf("%s: %.3f of the limit is used, want %.2f", name, got, c.want)
		}
		w.wantLaw(t, 1, end, 0)
	}
}

func (w *world) killEvery(pause time.Duration, tasks map[string]int) {
	w.after(pause, func() {
		living := slices.DeleteFunc(slices.Clone(w.workers), func(x *simWorker) bool { return x.dead })
		living[w.rnd.IntN(len(living))].kill()
		w.start(tasks)
		w.killEvery(pause, tasks)
	})
}

// However many wait, Redis is asked about as often as permits become free, and
// seldom if none does.
func TestWaitingIsCheap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit   Limit
		workers int
		want    float64 // scripts a second
	}{
		"one worker, 100/1s":      {Limit{100, time.Second}, 1, 50},
		"four workers, 100/1s":    {Limit{100, time.Second}, 4, 130},
		"four workers, 1000/1s":   {Limit{1000, time.Second}, 4, 600},
		"four workers, 1/1m":      {Limit{1, time.Minute}, 4, 6},
		"twenty workers, 5/1s":    {Limit{5, time.Second}, 20, 150},
		"twenty workers, 1000/1m": {Limit{1000, time.Minute}, 20, 80},
	} {
		w := newWorld(1, Options{Limit: c.limit})
		w.newOut = func() *link { return &link{s: w.sim, low: 5 * ms, high: 50 * ms} }
		busy(w, c.workers, 200/c.workers)
		const end = time.Minute
		w.run(end)
		got := float64(w.redis.calls) / end.Seconds()
		t.Logf("%s: %.1f scripts/s for %.1f calls/s", name, got, float64(len(w.api.arrivals))/end.Seconds())
		if got > c.want {
			t.Errorf("%s: %.1f scripts a second, want at most %.0f", name, got, c.want)
		}
	}
}

// A critical call waits for the next permit only, in whichever worker it is and however many others wait.
func TestCriticalFirstInTheWholeFleet(t *testing.T) {
	t.Parallel()
	for _, reserve := range []int{0, 10} {
		w := newWorld(1, Options{Limit: Limit{50, time.Second}, CriticalReserve: reserve})
		w.newOut = func() *link { return &link{s: w.sim, low: 10 * ms, high: 100 * ms} }
		busy(w, 4, 64)
		w.rest = func() time.Duration { return w.between(0, 2*time.Second) } // of the critical one, so that permits spread
		quiet := w.start(map[string]int{queue.Critical: 1})
		w.run(2 * time.Minute)
		waits := quiet.waits[queue.Critical]
		slices.Sort(waits)
		median, last := waits[len(waits)/2], waits[len(waits)-1]
		t.Logf("reserve %d %%: %d critical calls waited %s at the median, %s at most", reserve, len(waits), median, last)
		if want := map[int]time.Duration{0: 150 * ms, 10: ms}[reserve]; median > want {
			t.Errorf("reserve %d %%: critical calls wait %s at the median, want %s", reserve, median, want)
		}
		w.wantLaw(t, 1, 2*time.Minute, 0)
	}
}

// What is reserved stays free while no critical call wants it.
func TestReserveIsStrict(t *testing.T) {
	t.Parallel()
	for reserve, want := range map[int]int{0: 100, 10: 90, 50: 50, 99: 1} {
		w := newWorld(1, Options{Limit: Limit{100, time.Second}, CriticalReserve: reserve})
		busy(w, 3, 64)
		w.run(30 * time.Second)
		if got := w.api.most(0, 30*time.Second); got != want {
			t.Errorf("reserve %d %%: others make %d calls a second, want %d", reserve, got, want)
		}
		w.start(map[string]int{queue.Critical: 128})
		w.run(60 * time.Second)
		if got := w.api.used(40*time.Second, 60*time.Second); got < 0.99 {
			t.Errorf("reserve %d %%: with critical calls %.3f of the limit is used, want all", reserve, got)
		}
		w.wantLaw(t, 1, time.Minute, 0)
	}
}

// Who is far from Redis does not starve behind those who are near.
func TestFarWorkerGetsItsPart(t *testing.T) {
	t.Parallel()
	w := newWorld(1, Options{Limit: Limit{50, time.Second}})
	busy(w, 2, 64)
	w.newWay = func() *link { return &link{s: w.sim, low: 10 * ms, high: 12 * ms} }
	far := w.start(map[string]int{queue.Default: 64})
	w.run(time.Minute)
	if share := float64(far.done) / float64(len(w.api.arrivals)); share < 0.33/2 {
		t.Errorf("the worker 20 ms away from Redis makes %.2f of the calls, want half of its share of 0.33", share)
	}
	if got := w.api.used(0, time.Minute); got < 0.98 {
		t.Errorf("%.3f of the limit is used, want 0.98", got)
	}
}
