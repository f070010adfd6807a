package dequeue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// The tests of this file fail when a new asynq does something else than what
// this package leans on.

// bare runs an asynq server without the hook.
func bare(t *testing.T, rdb redis.UniversalClient, cfg asynq.Config, handle handler) {
	t.Helper()
	cfg.LogLevel = asynq.FatalLevel
	srv := asynq.NewServerFromRedisClient(rdb, cfg)
	if err := srv.Start(asynq.HandlerFunc(handle)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
}

// What the hook answers itself, and what it changes, is recognised by keys alone.
func TestScriptsOfAsynqAreRecognised(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	var mu sync.Mutex
	seen := map[string]int{}
	worker.AddHook(spy(func(cmd redis.Cmder) {
		mu.Lock()
		defer mu.Unlock()
		note := func(what, q string) {
			seen[what]++
			if q != queue.Critical {
				t.Errorf("%s: recognised for queue %q", what, q)
			}
		}
		if q, ok := dequeue.DequeueOf(cmd); ok {
			note("dequeue", q)
			return
		}
		if dequeue.Renewal(cmd) {
			seen["renewal"]++
			return
		}
		if dequeue.Expiry(cmd) {
			seen["expiry"]++
			return
		}
		if copied := redis.NewCmd(t.Context(), cmd.Args()...); dequeue.Stand(copied) {
			seen[standing(cmd)]++
			return
		}
		seen["rest"]++
	}))
	for _, payload := range []string{"retry", "archive", "done", "forgotten", "last"} {
		m := message(queue.Critical)
		m.Payload = []byte(payload)
		if payload == "forgotten" {
			m.Retention = 0
		}
		enqueue(t, other, m, time.Time{})
	}
	ended := make(chan struct{})
	cfg := asynq.Config{
		Concurrency: 1, Queues: map[string]int{queue.Critical: 1}, TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel,
		DelayedTaskCheckInterval: 10 * time.Millisecond, JanitorInterval: 10 * time.Millisecond, ShutdownTimeout: time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour },
	}
	srv := asynq.NewServerFromRedisClient(worker, cfg)
	last := make(chan struct{})
	err := srv.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		switch string(task.Payload()) {
		case "retry":
			return errors.New("again")
		case "archive":
			return asynq.SkipRetry
		case "last":
			close(last)
			<-ended
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	<-last
	eventually(t, "a renewal", func() bool { mu.Lock(); defer mu.Unlock(); return seen["renewal"] > 0 })
	srv.Shutdown() // puts the last task back
	close(ended)
	mu.Lock()
	defer mu.Unlock()
	for _, what := range []string{
		"dequeue", "renewal", "expiry", "rest",
		"asynq:{critical}:active 4", "asynq:{critical}:active 5", "asynq:{critical}:active 6", "asynq:{critical}:t 8", "asynq:{critical}:t 9",
		"asynq:{critical}:lease 1", "asynq:{critical}:scheduled 2", "asynq:{critical}:retry 2",
	} {
		if seen[what] == 0 {
			t.Errorf("%s: not recognised: its keys or arguments have changed", what)
		}
	}
	if t.Failed() {
		t.Logf("%v", seen)
	}
}

// standing names a script that the hook stands in for by its first key and how many it has.
func standing(cmd redis.Cmder) string {
	args := cmd.Args()
	key, _ := args[3].(string)
	if head, _, ok := strings.Cut(key, ":t:"); ok {
		key = head + ":t"
	}
	return fmt.Sprintf("%s %v", key, args[2])
}

// state is what a queue looks like with one task in hand.
func state(t *testing.T, rdb redis.UniversalClient, id string) map[string]any {
	t.Helper()
	ctx := t.Context()
	s := map[string]any{
		"active": rdb.LRange(ctx, queue.ActiveKey(queue.Default), 0, -1).Val(),
		"hash":   rdb.HGetAll(ctx, queue.TaskKey(queue.Default, id)).Val(),
		"lease":  rdb.ZRange(ctx, queue.LeaseKey(queue.Default), 0, -1).Val(),
	}
	keys := rdb.Keys(ctx, queue.Prefix(queue.Default)+"*").Val()
	slices.Sort(keys)
	s["keys"] = keys
	return s
}

func TestATaskInHandLooksAsAsynqLeavesIt(t *testing.T) {
	t.Parallel()
	m := message(queue.Default)
	inHand := func(t *testing.T, run func(rdb redis.UniversalClient, handle handler)) map[string]any {
		t.Helper()
		worker, other := newRDB(t)
		enqueue(t, other, m, time.Time{})
		started, release := make(chan struct{}), make(chan struct{})
		run(worker, func(context.Context, *asynq.Task) error {
			close(started)
			<-release
			return nil
		})
		t.Cleanup(func() { close(release) }) // before the server is shut down
		<-started
		lease, err := other.ZScore(t.Context(), queue.LeaseKey(queue.Default), m.ID).Result()
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(time.Unix(int64(lease), 0)); left < 20*time.Second || left > 31*time.Second {
			t.Errorf("the lease holds for %s, want 30 s", left)
		}
		return state(t, other, m.ID)
	}
	var theirs, ours map[string]any
	t.Run("asynq", func(t *testing.T) {
		theirs = inHand(t, func(rdb redis.UniversalClient, handle handler) {
			bare(t, rdb, asynq.Config{Concurrency: 1, TaskCheckInterval: time.Millisecond}, handle)
		})
	})
	t.Run("the hook", func(t *testing.T) {
		ours = inHand(t, func(rdb redis.UniversalClient, handle handler) { start(t, rdb, handle, queue.Default) })
	})
	hash, _ := ours["hash"].(map[string]string)
	if hash[queue.FieldDeliveries] != "1" {
		t.Errorf("deliveries = %q, want 1", hash[queue.FieldDeliveries])
	}
	delete(hash, queue.FieldDeliveries) // all that we add, beside keys of our own
	delete(hash, queue.FieldToken)
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("(-asynq +hook):\n%s", diff)
	}
}

// Why the hook takes its time over an error: asynq asks again at once.
func TestAsynqDoesNotSleepAfterAnError(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	var looks atomic.Int32
	rdb.AddHook(failing{&looks})
	bare(t, rdb, asynq.Config{Concurrency: 1, TaskCheckInterval: time.Hour}, succeed)
	eventually(t, "many looks", func() bool { return looks.Load() > 1000 })
}

func succeed(context.Context, *asynq.Task) error { return nil }

// failing answers every dequeue with an error.
type failing struct{ looks *atomic.Int32 }

func (failing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f failing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if _, ok := dequeue.DequeueOf(cmd); ok {
			f.looks.Add(1)
			return errors.New("no Redis")
		}
		return next(ctx, cmd)
	}
}

func (failing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Why a wait inside a dequeue holds up a server of several queues, and
// [dequeue.ServerConfig] serves one: asynq asks for the queues one after the other.
func TestAsynqAsksForItsQueuesInTurn(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	var under, most atomic.Int32
	rdb.AddHook(during{func() func() {
		most.Store(max(most.Load(), under.Add(1)))
		return func() { under.Add(-1) }
	}})
	var looks atomic.Int32
	rdb.AddHook(spy(func(cmd redis.Cmder) {
		if _, ok := dequeue.DequeueOf(cmd); ok {
			looks.Add(1)
		}
	}))
	bare(t, rdb, asynq.Config{
		Concurrency: 8, Queues: map[string]int{"critical": 1, "default": 1, "bulk": 1}, TaskCheckInterval: time.Millisecond,
	}, succeed)
	eventually(t, "some looks", func() bool { return looks.Load() > 30 })
	if n := most.Load(); n != 1 {
		t.Errorf("%d dequeues at once, want 1", n)
	}
}

// during calls begin before and the returned function after every dequeue.
type during struct{ begin func() (end func()) }

func (during) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d during) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if _, ok := dequeue.DequeueOf(cmd); ok {
			defer d.begin()()
		}
		return next(ctx, cmd)
	}
}

func (during) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
