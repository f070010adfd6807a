package holds

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func newKeeper(t *testing.T, rdb redis.UniversalClient) *Keeper {
	t.Helper()
	k := New(rdb, Options{})
	t.Cleanup(k.Close)
	return k
}

var eventually = redistest.Eventually

// enter takes a task, and calls.
func enter(t *testing.T, k *Keeper) (*Pass, func(finding)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	pass, err := k.Enter(ctx, queue.Default)
	if err != nil {
		t.Fatal(err)
	}
	a, err := k.begin(ctx, pass)
	if err == nil {
		err = k.still(ctx, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pass, func(f finding) {
		k.end(a, f)
		pass.Release()
	}
}

// listeners are keepers that ask Redis because of news alone: they listen, and do not look again by themselves.
func listeners(t *testing.T, rdb redis.UniversalClient) (a, b *Keeper) {
	t.Helper()
	a, b = New(rdb, Options{poll: time.Hour}), New(rdb, Options{poll: time.Hour})
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	eventually(t, "both listen", func() bool { return rdb.PubSubNumSub(t.Context(), channel).Val()[channel] >= 2 })
	return a, b
}

// The whole way of a hold on the Redis that the tests run on. What the other one hears, it hears by news.
func TestHoldAndProbe(t *testing.T) {
	t.Parallel()
	rdb := redistest.Own(t) // other tests publish on the same channel
	a, b := listeners(t, rdb)
	_, end := enter(t, a)
	began := time.Now()
	end(finding{kind: holding, reason: RetryAfter, code: "429", wait: time.Second})
	eventually(t, "the other one hears of it", func() bool { return b.Snapshot().Reason == RetryAfter })
	eventually(t, "the queues show it", func() bool {
		infos, err := queue.NewStore(rdb).Queues(t.Context())
		return err == nil && infos[0].Held != nil && infos[1].Held != nil && infos[2].Held != nil
	})
	pass, end := enter(t, b)
	// The script's clock leaves out what is less than a millisecond, when the hold begins and when it ends.
	if took := time.Since(began); !pass.Probe() || took < 998*time.Millisecond {
		t.Errorf("probe: %v, %s after the hold began", pass.Probe(), took)
	}
	end(finding{kind: failing, reason: Outage, code: "503"})
	eventually(t, "the hold is prolonged", func() bool { return a.Snapshot().Reason == Outage })
	_, end = enter(t, a)
	end(finding{kind: alive})
	eventually(t, "both are open", func() bool { return a.Snapshot().Reason == "" && b.Snapshot().Reason == "" })
	eventually(t, "the queues are open", func() bool {
		infos, err := queue.NewStore(rdb).Queues(t.Context())
		return err == nil && infos[0].Held == nil && infos[1].Held == nil && infos[2].Held == nil
	})
	if a.Snapshot().Began[RetryAfter] != 1 || len(b.Snapshot().Began) != 0 {
		t.Errorf("began %v and %v", a.Snapshot().Began, b.Snapshot().Began)
	}
	for _, key := range rdb.Keys(t.Context(), "layerq:*").Val() {
		if rdb.PTTL(t.Context(), key).Val() < 0 {
			t.Errorf("%s does not expire", key)
		}
		if !strings.HasPrefix(key, fleetKey) && !strings.HasSuffix(key, ":mark") {
			t.Errorf("%s is left", key)
		}
	}
}

func TestOutageOnRedis(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	a, b := newKeeper(t, rdb), newKeeper(t, rdb)
	n := 0
	for a.Snapshot().Reason == "" || b.Snapshot().Reason == "" {
		for _, k := range []*Keeper{a, b} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if at, err := k.begin(ctx, nil); err == nil {
				k.end(at, finding{kind: failing, reason: Outage, code: "503"})
				n++
			}
			cancel()
		}
		if n > 1000 {
			t.Fatal("a thousand failures are no outage")
		}
	}
	if n < threshold || n > 2*threshold {
		t.Errorf("held after %d failures", n)
	}
}
