// Package redistest gives a test a Redis of its own.
//
// By default that is an embedded miniredis whose clock runs. With
// REDIS_ADDR=host:port in the environment it is an empty database of that
// server instead; tests of several packages, which the go command runs in
// processes of their own, never get the same one at the same time.
package redistest

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// EnvAddr names the environment variable that moves the tests to a real Redis.
const EnvAddr = "REDIS_ADDR"

// New returns a client of the Redis that belongs to t, which is empty when t
// asks for the first time. It is closed when t ends. Every call with the same
// t, also of [URL] and [NewProxy], means the same Redis.
func New(t testing.TB) redis.UniversalClient {
	t.Helper()
	target := targetOf(t)
	return newClient(t, target.addr, target.db)
}

// URL returns the redis:// URL of the Redis that belongs to t.
func URL(t testing.TB) string {
	t.Helper()
	return targetOf(t).url()
}

// Real tells whether the tests run on a real Redis server, so that a test can
// use what miniredis does not have (INFO, CLIENT KILL) where it is there.
func Real() bool { return os.Getenv(EnvAddr) != "" }

// target is one empty database.
type target struct {
	addr string
	db   int
}

func (s target) url() string { return "redis://" + s.addr + "/" + strconv.Itoa(s.db) }

// targets remembers which test has which database; a subtest has one of its own.
var targets = struct {
	sync.Mutex
	of map[testing.TB]target
}{of: make(map[testing.TB]target)}

func targetOf(t testing.TB) target {
	t.Helper()
	targets.Lock()
	s, ok := targets.of[t]
	targets.Unlock()
	if ok {
		return s
	}
	if addr := os.Getenv(EnvAddr); addr != "" {
		s = lease(t, addr)
	} else {
		s = target{addr: embedded(t)}
	}
	targets.Lock()
	targets.of[t] = s
	targets.Unlock()
	t.Cleanup(func() {
		targets.Lock()
		delete(targets.of, t)
		targets.Unlock()
	})
	return s
}

// embedded starts a miniredis that lives as long as t and returns its address.
func embedded(t testing.TB) string {
	t.Helper()
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatalf("redistest: start miniredis: %v", err)
	}
	t.Cleanup(m.Close)
	stop := runClock(m)
	t.Cleanup(stop)
	return m.Addr()
}

func newClient(t testing.TB, addr string, db int) redis.UniversalClient {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{
		Addr:                  addr,
		DB:                    db,
		ContextTimeoutEnabled: true,
		DialerRetries:         1, // a test that takes Redis away should see it soon
		// The handshake for a feature of managed clusters only costs commands here.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}
