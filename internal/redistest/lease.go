package redistest

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

const (
	// databases is Redis' default; number 0 holds the locks of the others.
	databases = 16
	// leaseTTL frees the database of a test process that was killed.
	leaseTTL   = 15 * time.Second
	leaseRenew = 5 * time.Second
	leasePoll  = 50 * time.Millisecond
)

// release deletes KEYS[1] if it still holds ARGV[1].
var release = redis.NewScript(`if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`)

// lease takes a free database of the Redis at addr, waiting for one as long as
// t may run, empties it, and gives it back, empty, when t ends.
func lease(t testing.TB, addr string) target {
	t.Helper()
	ctx, cancel := untilDeadline(t)
	defer cancel()
	locks := newClient(t, addr, 0)
	token := uuid.NewString()
	db, err := acquire(ctx, locks, token)
	if err != nil {
		t.Fatalf("redistest: no free database at %s=%s: %v", EnvAddr, addr, err)
	}
	key := lockKey(db)
	stop := renew(locks, key)
	t.Cleanup(func() {
		stop()
		_ = release.Run(context.WithoutCancel(t.Context()), locks, []string{key}, token).Err()
	})
	data := newClient(t, addr, db)
	if err := data.FlushDB(ctx).Err(); err != nil {
		t.Fatalf("redistest: empty database %d at %s: %v", db, addr, err)
	}
	t.Cleanup(func() { _ = data.FlushDB(context.WithoutCancel(t.Context())).Err() })
	return target{addr: addr, db: db}
}

// acquire tries the databases in an order of its own until one is free.
func acquire(ctx context.Context, locks redis.UniversalClient, token string) (int, error) {
	for {
		for _, i := range rand.Perm(databases - 1) {
			db := i + 1
			err := locks.SetArgs(ctx, lockKey(db), token, redis.SetArgs{Mode: "NX", TTL: leaseTTL}).Err()
			if err == nil {
				return db, nil
			}
			if err != redis.Nil { //nolint:errorlint // go-redis returns this sentinel bare
				return 0, err
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(leasePoll):
		}
	}
}

// renew keeps the lock from expiring until stop is called.
func renew(locks redis.UniversalClient, key string) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(leaseRenew)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				_ = locks.PExpire(context.Background(), key, leaseTTL).Err()
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}

func lockKey(db int) string { return "redistest:database:" + strconv.Itoa(db) }

// untilDeadline ends a little before the test would be killed for taking too long.
func untilDeadline(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	d, ok := t.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return context.WithTimeout(t.Context(), time.Minute)
	}
	if at, ok := d.Deadline(); ok {
		return context.WithDeadline(t.Context(), at.Add(-time.Second))
	}
	return context.WithCancel(t.Context())
}
