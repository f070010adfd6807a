package dequeue_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
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

func TestScriptsOfAsynqAreRecognised(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	var mu sync.Mutex
	dequeues, retries, rest := 0, []time.Time(nil), map[int]bool{}
	worker.AddHook(spy(func(cmd redis.Cmder) {
		mu.Lock()
		defer mu.Unlock()
		q, isDequeue := dequeue.DequeueRequest(cmd)
		rq, at, isRetry := dequeue.RetryAt(cmd)
		switch {
		case isDequeue && isRetry:
			t.Error("one command is both")
		case isDequeue:
			dequeues++
		case isRetry:
			q = rq
			retries = append(retries, at)
		default:
			rest[len(cmd.Args())] = true
			return
		}
		if q != queue.Critical {
			t.Errorf("recognised for queue %q", q)
		}
	}))
	const delay = 2 * time.Second
	for _, payload := range []string{"retry", "archive", "done", "forgotten"} {
		m := message(queue.Critical)
		m.Payload = []byte(payload)
		if payload == "forgotten" {
			m.Retention = 0
		}
		enqueue(t, other, m, time.Time{})
	}
	enqueue(t, other, message(queue.Critical), time.Now().Add(time.Millisecond)) // for the forwarder
	var handled atomic.Int32
	began := time.Now()
	bare(t, worker, asynq.Config{
		Concurrency: 1, Queues: map[string]int{queue.Critical: 1}, TaskCheckInterval: time.Millisecond,
		DelayedTaskCheckInterval: 10 * time.Millisecond, JanitorInterval: 10 * time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return delay },
	}, func(_ context.Context, task *asynq.Task) error {
		handled.Add(1)
		switch string(task.Payload()) {
		case "retry":
			return errors.New("again")
		case "archive":
			return asynq.SkipRetry
		}
		return nil
	})
	eventually(t, "the tasks", func() bool { return handled.Load() >= 5 })
	mu.Lock()
	defer mu.Unlock()
	if dequeues == 0 {
		t.Error("asynq's dequeue script was not recognised: its keys or arguments have changed")
	}
	if len(retries) == 0 {
		t.Fatal("asynq's retry script was not recognised: its keys or arguments have changed")
	}
	if want := began.Add(delay); retries[0].Before(want.Add(-time.Second)) || retries[0].After(want.Add(time.Second)) {
		t.Errorf("retry at %s, want about %s", retries[0], want)
	}
	if len(rest) < 4 {
		t.Errorf("asynq ran hardly anything else: %v", rest)
	}
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
	delete(hash, queue.FieldDeliveries) // all that we add
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
		if _, ok := dequeue.DequeueRequest(cmd); ok {
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
		if _, ok := dequeue.DequeueRequest(cmd); ok {
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
		if _, ok := dequeue.DequeueRequest(cmd); ok {
			defer d.begin()()
		}
		return next(ctx, cmd)
	}
}

func (during) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Why times of retries are up to a second early: asynq stores whole seconds, rounded down.
func TestAsynqRoundsRetryTimesDown(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	m := message(queue.Default)
	enqueue(t, other, m, time.Time{})
	planned := make(chan time.Time, 1)
	bare(t, worker, asynq.Config{
		Concurrency: 1, TaskCheckInterval: time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration {
			at := time.Now().Truncate(time.Second).Add(100*time.Second + 900*time.Millisecond)
			planned <- at
			return time.Until(at)
		},
	}, func(context.Context, *asynq.Task) error { return errors.New("again") })
	var score float64
	eventually(t, "the retry", func() (ok bool) {
		var err error
		score, err = other.ZScore(t.Context(), queue.RetryKey(queue.Default), m.ID).Result()
		return err == nil
	})
	if want := (<-planned).Unix(); score != float64(want) {
		t.Errorf("stored %s, want %d", strconv.FormatFloat(score, 'f', -1, 64), want)
	}
}
