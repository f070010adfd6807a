package permits

import (
	"flag"
	"testing"
	"time"
)

const ms = time.Millisecond

var networksFlag = flag.Int("networks", 0, "how many random networks each law is checked on; 0 for some hundred")

// seeds is how many random worlds a law is checked on.
func seeds(usual int) uint64 {
	switch {
	case *networksFlag > 0:
		return uint64(*networksFlag)
	case raceDetector || testing.Short():
		return uint64(usual / 10)
	}
	return uint64(usual)
}

// random makes a world of which nothing is known but what the law is promised for.
func random(seed uint64) *world {
	s := newSim(seed)
	pick := func(of ...time.Duration) time.Duration { return of[s.rnd.IntN(len(of))] }
	options := Options{
		Limit:           Limit{1 + s.rnd.IntN(60), pick(100*ms, 300*ms, time.Second, time.Second, 3*time.Second)},
		CriticalReserve: []int{0, 10, 50}[s.rnd.IntN(3)],
		AttemptTimeout:  pick(200*ms, time.Second, 3*time.Second),
	}
	w := newWorld(seed, options)
	w.drift = 200e-6
	w.redis.drift = (w.rnd.Float64()*2 - 1) * w.drift
	w.fault.late = w.between(0, options.AttemptTimeout)
	w.fault.lag = pick(0, ms, slack/2)
	if w.chance(0.5) {
		w.fault.cut, w.fault.drop = w.rnd.Float64()*0.1, w.rnd.Float64()*0.1
	}
	far := pick(ms, 20*ms, 200*ms, options.AttemptTimeout)
	busy := pick(0, 5*ms, 100*ms)
	w.api.work = func() time.Duration { return w.between(0, busy) }
	w.newOut = func() *link {
		return &link{s: w.sim, low: w.between(0, far/2), high: far, stalls: w.stalls(2 * time.Second)}
	}
	slow := pick(200*time.Microsecond, 2*ms, 30*ms)
	w.newWay = func() *link {
		return &link{s: w.sim, low: slow / 10, high: w.between(slow/5, slow), stalls: w.stalls(200 * ms)}
	}
	rest := pick(0, 0, 0, 50*ms)
	w.rest = func() time.Duration { return w.between(0, rest) }
	return w
}

const lawTime = 20 * time.Second

// stalls are some spans.
func (w *world) stalls(most time.Duration) (stalls []span) {
	for range w.rnd.IntN(4) {
		from := w.between(0, lawTime)
		stalls = append(stalls, span{from, from + w.between(0, most)})
	}
	return stalls
}

// fleet starts some workers with some tasks each.
func (w *world) fleet() map[string]int {
	tasks := map[string]int{"critical": w.rnd.IntN(8), "default": 1 + w.rnd.IntN(30), "bulk": w.rnd.IntN(8)}
	for range 1 + w.rnd.IntN(4) {
		w.start(tasks)
	}
	return tasks
}

// crash kills workers now and then, and starts new ones in their place.
func (w *world) crash(every time.Duration, tasks map[string]int) {
	w.after(w.between(0, 2*every), func() {
		w.workers[w.rnd.IntN(len(w.workers))].kill()
		w.start(tasks)
		w.crash(every, tasks)
	})
}

func (w *world) wantLaw(t *testing.T, seed uint64, end time.Duration, beyond int) {
	t.Helper()
	if got, want := w.api.most(0, end), w.api.limit(0)+beyond; got > want {
		t.Errorf("network %d: %d calls within %s, want at most %d", seed, got, w.api.per, want)
	}
}

// Whatever the network does, and whoever dies: slow ways, jitter, stalls, answers
// that get lost, connections that break while the request goes on, requests that
// arrive long after the client gave them up, processes that stand still between permit
// and request, clocks that do not run alike, a slow Redis.
func TestLawHoldsOnRandomNetworks(t *testing.T) {
	t.Parallel()
	calls := 0
	for seed := range seeds(600) {
		w := random(seed)
		tasks := w.fleet()
		if w.chance(0.5) {
			w.crash(3*time.Second, tasks)
		}
		w.run(lawTime)
		w.wantLaw(t, seed, lawTime, 0)
		calls += len(w.api.arrivals)
	}
	t.Logf("%d networks, %d calls", seeds(600), calls)
}

// After a calm time the network stands still for as long as an attempt may take: what is
// under way in living workers is told to Redis again and again, however late it arrives.
func TestLawHoldsInLongStalls(t *testing.T) {
	t.Parallel()
	for seed := range seeds(20) {
		w := newWorld(seed, Options{Limit: Limit{50, time.Second}})
		w.newOut = func() *link {
			from := w.between(8*time.Second, 12*time.Second)
			return &link{s: w.sim, low: ms, high: 20 * ms, stalls: []span{{from, from + w.between(4*time.Second, 9*time.Second)}}}
		}
		w.fleet()
		w.run(30 * time.Second)
		w.wantLaw(t, seed, 30*time.Second, 0)
	}
}

// The law without Redis: it refuses connections, it hangs, it comes back without
// what was written last. Some workers die meanwhile.
func TestLawHoldsWithoutRedis(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"refuses", "hangs", "forgets"} {
		for seed := range seeds(150) {
			w := random(seed)
			w.fault.late = 0 // what is given up cannot be told while Redis is gone
			w.fleet()
			from, to := w.takeRedisAway(kind, nil)
			if w.chance(0.3) {
				w.after(w.between(from, to), w.workers[w.rnd.IntN(len(w.workers))].kill)
			}
			w.run(to + 10*time.Second)
			w.wantLaw(t, seed, to+10*time.Second, 0)
			if t.Failed() {
				t.Fatalf("when Redis %s from %s to %s", kind, from, to)
			}
		}
	}
}

// If one worker alone loses Redis, the others go on with the whole limit: its share
// is what may come on top.
func TestLawWithOneWorkerCutOff(t *testing.T) {
	t.Parallel()
	for seed := range seeds(150) {
		w := random(seed)
		w.fault.late = 0
		w.fleet()
		_, to := w.takeRedisAway("hangs", w.workers[0].way)
		w.run(to + 10*time.Second)
		w.wantLaw(t, seed, to+10*time.Second, max(1, w.api.limit(0)/len(w.workers)))
	}
}

func (w *world) takeRedisAway(kind string, from *link) (begin, end time.Duration) {
	begin = w.between(2*time.Second, 10*time.Second)
	end = begin + []time.Duration{300 * ms, time.Second, 5 * time.Second, 20 * time.Second, 40 * time.Second}[w.rnd.IntN(5)]
	if kind == "forgets" {
		// An append-only file that is written every second.
		w.after(begin-w.between(0, time.Second), func() {
			saved := w.redis.model.clone()
			w.after(end-w.now, func() { w.redis.restart(saved) })
		})
	}
	w.redis.gone = append(w.redis.gone, outage{span: span{begin, end}, refuses: kind != "hangs", of: from})
	return begin, end
}

// The judge sees what breaks the law: each of these leaves out one thing that
// the law needs.
func TestLawIsBrokenWithout(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*world){
		"the full window":               func(w *world) { w.set.window = w.set.window * 9 / 10 },
		"waiting for what was given up": func(w *world) { w.set.late = 0 },
		"the permits of dead workers":   func(w *world) { w.set.life = w.set.window },
		"a thousandth for unequal clocks": func(w *world) {
			w.set.window, w.redis.drift = w.api.per, 200e-6
			w.fault.cut, w.fault.drop, w.fault.lag = 0, 0, 0
			w.api.work = func() time.Duration { return 0 }
			w.newOut = func() *link { return &link{s: w.sim} }
			w.newWay = w.newOut
		},
	} {
		broken := 0
		for seed := range uint64(100) {
			w := random(seed)
			spoil(w)
			tasks := w.fleet()
			w.crash(3*time.Second, tasks)
			w.run(lawTime)
			if w.api.most(0, lawTime) > w.api.limit(0) {
				broken++
			}
		}
		t.Logf("without %s the law breaks on %d of 100 networks", name, broken)
		if broken == 0 {
			t.Errorf("without %s the law is not seen to break", name)
		}
	}
}
