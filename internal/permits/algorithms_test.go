package permits

import (
	"fmt"
	"strings"
	"time"

	"github.com/layerq/layerq/layer"
)

// algorithm is a common way to limit a fleet: asked at Redis' time, it lets a
// call go or says how long to wait before asking again.
type algorithm func(now int64) (wait int64)

// fixedWindow counts calls in the second, minute, ... of the clock.
func fixedWindow(n int, per time.Duration) algorithm {
	var window, count int64
	return func(now int64) int64 {
		length := per.Microseconds()
		if now/length != window {
			window, count = now/length, 0
		}
		if count < int64(n) {
			count++
			return 0
		}
		return (window+1)*length - now
	}
}

// gcra is a bucket that leaks at a constant rate, as in redis_rate and redis-cell.
func gcra(rate float64, per time.Duration, burst int) algorithm {
	interval := int64(float64(per.Microseconds()) / rate)
	var full int64 // when the bucket is empty again
	return func(now int64) int64 {
		full = max(full, now)
		if wait := full + interval - int64(burst)*interval - now; wait > 0 {
			return wait
		}
		full += interval
		return 0
	}
}

// slidingLog remembers when each of the last n calls was let go.
func slidingLog(n int, per time.Duration) algorithm {
	log, next := make([]int64, n), 0
	return func(now int64) int64 {
		if wait := log[next] + per.Microseconds() - now; log[next] != 0 && wait > 0 {
			return wait
		}
		log[next], next = now, (next+1)%n
		return 0
	}
}

// network is a way to the server that algorithms are compared on.
type network struct {
	name      string
	low, high time.Duration // one way
	stalls    bool
}

var networks = []network{
	{"calm: 2 to 6 ms", 1 * ms, 3 * ms, false},
	{"jitter: 20 to 200 ms", 10 * ms, 100 * ms, false},
	{"stalls: 2 to 40 ms, and up to 0.5 s now and then", 1 * ms, 20 * ms, true},
}

const (
	compareProcesses = 4
	compareTasks     = 16
)

// on makes a world with a network, and runs it until end.
func (n network) on(limit Limit, end time.Duration, start func(*world)) *server {
	w := newWorld(7, Options{Limit: limit})
	w.newWay = func() *link { return &link{s: w.sim, low: 200 * time.Microsecond, high: 2 * ms} }
	w.newOut = func() *link {
		l := &link{s: w.sim, low: n.low, high: n.high}
		for at := time.Duration(0); n.stalls && at < end; {
			at += w.between(0, 10*time.Second)
			l.stalls = append(l.stalls, span{at, at + w.between(0, 500*ms)})
		}
		return l
	}
	start(w)
	w.run(end)
	return w.api
}

// ask makes calls for ever, each when the algorithm lets it go.
func (w *world) ask(a algorithm, way, out *link) {
	way.send(func() {
		wait := a(w.redis.clock())
		way.send(func() {
			if wait > 0 {
				w.after(time.Duration(wait)*time.Microsecond, func() { w.ask(a, way, out) })
				return
			}
			w.api.call(out, w.fault, w.fault.timeout, func() bool { return true }, func(layer.Answer) { w.ask(a, way, out) })
		})
	})
}

func fleetOf(each func(w *world) (algorithm, *link)) func(*world) {
	return func(w *world) {
		for range compareProcesses {
			a, way := each(w)
			out := w.newOut()
			for range compareTasks {
				w.ask(a, way, out)
			}
		}
	}
}

func shared(a algorithm) func(*world) {
	return fleetOf(func(w *world) (algorithm, *link) { return a, w.newWay() })
}

// contenders are the algorithms by name, ours last.
func contenders(limit Limit) []struct {
	name  string
	start func(*world)
} {
	n, per := limit.N, limit.Per
	return []struct {
		name  string
		start func(*world)
	}{
		{"fixed window", shared(fixedWindow(n, per))},
		{"GCRA, burst = rate (the default of redis_rate)", shared(gcra(float64(n), per, n))},
		{"GCRA at 95 % of the rate, burst 5", shared(gcra(float64(n)*0.95, per, 5))},
		{"sliding log of when calls were sent", shared(slidingLog(n, per))},
		{"token bucket in each process (x/time/rate), rate and burst an equal share", fleetOf(func(w *world) (algorithm, *link) {
			share := n / compareProcesses
			return gcra(float64(share), per, share), &link{s: w.sim}
		})},
		{"permits, held until T after the answer", func(w *world) {
			for range compareProcesses {
				w.start(map[string]int{"default": compareTasks})
			}
		}},
	}
}

// comparison is the table of docs/limits.md.
func comparison() string {
	var b strings.Builder
	for _, limit := range []struct {
		Limit
		name string
		end  time.Duration
	}{{Limit{100, time.Second}, "100/1s", time.Minute}, {Limit{1000, time.Minute}, "1000/1m", 5 * time.Minute}} {
		fmt.Fprintf(&b, "| %s", limit.name)
		for _, n := range networks {
			fmt.Fprintf(&b, " | %s", n.name)
		}
		b.WriteString(" |\n|---|---|---|---|\n")
		for i, c := range contenders(limit.Limit) {
			fmt.Fprintf(&b, "| %s", c.name)
			for _, n := range networks {
				api := n.on(limit.Limit, limit.end, contenders(limit.Limit)[i].start)
				fmt.Fprintf(&b, " | %.1f %%, %d refused, %d at most", 100*api.used(limit.Per, limit.end), len(api.refusedAt), api.most(0, limit.end))
			}
			b.WriteString(" |\n")
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
