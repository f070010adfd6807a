package redistest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var eventually = redistest.Eventually

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	outer := redistest.New(t)
	if err := outer.Set(ctx, "who", "outer", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got := redistest.New(t).Get(ctx, "who").Val(); got != "outer" {
		t.Errorf("second client of the same test read %q, want %q", got, "outer")
	}
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	byURL := redis.NewClient(opts)
	defer func() { _ = byURL.Close() }()
	if got := byURL.Get(ctx, "who").Val(); got != "outer" {
		t.Errorf("client by URL read %q, want %q", got, "outer")
	}
	for _, name := range []string{"one", "other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := redistest.New(t)
			if n := inner.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("new database holds %d keys, want none", n)
			}
			inner.Set(t.Context(), "who", "inner", 0)
		})
	}
}

func TestExpiriesRunByThemselves(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	rdb.Set(t.Context(), "short", "1", 50*time.Millisecond)
	eventually(t, "the expiry", func() bool { return rdb.Exists(t.Context(), "short").Val() == 0 })
}

func TestScriptsSeeTheTime(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	first, err := rdb.Eval(t.Context(), `return redis.call("TIME")`, nil).StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a later time in a script", func() bool {
		next, err := rdb.Eval(t.Context(), `return redis.call("TIME")`, nil).StringSlice()
		return err == nil && (next[0] != first[0] || next[1] != first[1])
	})
}

func TestBlockedMoveIsWokenByAScript(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	got := make(chan error, 1)
	go func() { got <- rdb.BLMove(t.Context(), "list", "list", "RIGHT", "RIGHT", 5*time.Second).Err() }()
	start := time.Now()
	eventually(t, "a push that is seen", func() bool {
		if err := rdb.Eval(t.Context(), `return redis.call("LPUSH", KEYS[1], "x")`, []string{"list"}).Err(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-got:
			return err == nil
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the blocked client was woken after %s", took)
	}
}

func TestProxyTakesRedisAwayAndBringsItBack(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := redistest.NewProxy(t)
	rdb := p.Client(t)
	if err := rdb.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}

	p.Cut()
	if err := rdb.Get(ctx, "k").Err(); err == nil {
		t.Error("a command passed through a cut proxy")
	}
	p.Restore(t)
	if got := rdb.Get(ctx, "k").Val(); got != "v" {
		t.Errorf("after Restore read %q, want %q", got, "v")
	}

	p.Freeze()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := rdb.Get(short, "k").Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command through a frozen proxy: %v, want deadline exceeded", err)
	}
	p.Thaw()
	if got := rdb.Get(ctx, "k").Val(); got != "v" {
		t.Errorf("after Thaw read %q, want %q", got, "v")
	}
}
