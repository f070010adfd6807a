package permits

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/testlog"
)

// callers make calls for ever, until stop.
func callers(t *testing.T, l *Limiter, n int, judge *arrivals) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for {
				release, err := l.Acquire(ctx)
				if err != nil {
					return
				}
				judge.arrive()
				release(done)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

func (a *arrivals) since(t time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, at := range a.at {
		if at.After(t) {
			n++
		}
	}
	return n
}

// Redis goes away and comes back, in each way that it can: calls go on all the
// time, and never above the limit.
func TestCallsGoOnWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]struct {
		begin func(*redistest.Proxy)
		end   func(*redistest.Proxy)
	}{
		"refuses connections": {(*redistest.Proxy).Cut, func(p *redistest.Proxy) { p.Restore(t) }},
		"hangs":               {(*redistest.Proxy).Freeze, (*redistest.Proxy).Thaw},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := redistest.NewProxy(t)
			options := Options{Limit: Limit{40, time.Second}, AttemptTimeout: 200 * time.Millisecond}
			var judge arrivals
			var logs [2]testlog.Buffer
			var limiters []*Limiter
			for i := range logs {
				options.Log = slog.New(slog.NewTextHandler(&logs[i], nil))
				limiters = append(limiters, newLimiter(t, proxy.Client(t), options))
			}
			eventually(t, "both know of each other", func() bool {
				return limiters[0].Snapshot().Workers == 2 && limiters[1].Snapshot().Workers == 2
			})
			for _, l := range limiters {
				defer callers(t, l, 10, &judge)()
			}
			eventually(t, "calls", func() bool { return judge.since(time.Time{}) > 60 })

			outage.begin(proxy)
			eventually(t, "both are alone", func() bool {
				return limiters[0].Snapshot().Source == Local && limiters[1].Snapshot().Source == Local
			})
			alone := time.Now()
			eventually(t, "calls without Redis", func() bool { return judge.since(alone) > 20 })
			if s := limiters[0].Snapshot(); s.Limit.N > 20 || s.Limit.N < 1 || s.Taken > 20 {
				t.Errorf("alone: %+v, want at most half of the limit", s)
			}

			outage.end(proxy)
			eventually(t, "both are back", func() bool {
				return limiters[0].Snapshot().Source == Fleet && limiters[1].Snapshot().Source == Fleet
			})
			back := time.Now()
			eventually(t, "calls with Redis", func() bool { return judge.since(back) > 80 })
			if got := judge.most(time.Second); got > 40 {
				t.Errorf("%d calls within a second, want at most 40", got)
			}
			// A machine that stands still for a second is one outage more.
			for i := range logs {
				eventually(t, "one line where an outage begins, and one where it ends", func() bool {
					n := strings.Count(logs[i].String(), "redis does not answer")
					return n > 0 && n == strings.Count(logs[i].String(), "redis answers again")
				})
			}
		})
	}
}

// A process that never reached Redis does not know how many there are: one call at a time.
func TestWithoutRedisFromTheBeginning(t *testing.T) {
	t.Parallel()
	proxy := redistest.NewProxy(t)
	proxy.Cut()
	l := newLimiter(t, proxy.Client(t), Options{Limit: Limit{10, 100 * time.Millisecond}, AttemptTimeout: 10 * time.Millisecond})
	var judge arrivals
	defer callers(t, l, 4, &judge)()
	eventually(t, "calls", func() bool { return judge.since(time.Time{}) >= 3 })
	if got := judge.most(100 * time.Millisecond); got > 1 {
		t.Errorf("%d calls at a time, want 1", got)
	}
	proxy.Restore(t)
	eventually(t, "back", func() bool { s := l.Snapshot(); return s.Source == Fleet && s.Limit.N == 10 })
}

// A Redis that forgets: what is held is told again, and nobody gets anything before.
func TestForgetfulRedis(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(context.Context, redis.UniversalClient) error{
		"everything": func(ctx context.Context, rdb redis.UniversalClient) error { return rdb.Del(ctx, keys...).Err() },
		"the last second": func(ctx context.Context, rdb redis.UniversalClient) error {
			return errors.Join(rdb.ZRemRangeByRank(ctx, keys[0], 0, 1).Err(), rdb.ScriptFlush(ctx).Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Own(t) // no other test loads or flushes its scripts
			options := Options{Limit: Limit{4, time.Hour}}
			limiters := []*Limiter{newLimiter(t, rdb, options), newLimiter(t, rdb, options)}
			for range 2 {
				for _, l := range limiters {
					acquire(t, l, t.Context())(done)
				}
			}
			// What happens within a second of the start looks like a part of it.
			eventually(t, "the start is over", func() bool {
				return limiters[0].Snapshot().Taken == 4 && limiters[1].Snapshot().Taken == 4 && time.Since(limiters[1].clock) > 1500*time.Millisecond
			})
			if err := forget(t.Context(), rdb); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all permits are told again", func() bool { return rdb.ZCard(t.Context(), keys[0]).Val() == 4 })
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			if _, err := limiters[0].Acquire(ctx); err == nil {
				t.Error("a fifth permit of four")
			}
		})
	}
}
