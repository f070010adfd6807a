package dequeue_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
)

func TestPausedQueueIsLeftAlone(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	insp := asynq.NewInspectorFromRedisClient(other)
	if err := insp.PauseQueue(queue.Default); err != nil {
		t.Fatal(err)
	}
	p := start(t, worker, nil, queue.Default)
	enqueue(t, other, message(queue.Default), time.Time{}) // so that a push could be waited for in vain
	p.idle(t, 1)
	looks, began := p.scripts.Load(), time.Now()
	<-time.After(2500 * time.Millisecond)
	if n := p.scripts.Load() - looks; n > 4 {
		t.Errorf("%d looks in %s at a paused queue", n, time.Since(began))
	}
	if len(p.deliveries()) != 0 {
		t.Fatal("a paused queue was served")
	}
	began = time.Now()
	if err := insp.UnpauseQueue(queue.Default); err != nil {
		t.Fatal(err)
	}
	if took := p.wait(t, 1)[0].At.Sub(began); took > 2*time.Second {
		t.Errorf("went on %s after the end of the pause", took)
	}
}

func TestPauseThatEndsByItself(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	const pause = 400 * time.Millisecond
	other.Set(t.Context(), queue.PausedKey(queue.Default), "why", pause)
	began := time.Now()
	p := start(t, worker, nil, queue.Default)
	enqueue(t, other, message(queue.Default), time.Time{})
	took := p.wait(t, 1)[0].At.Sub(began)
	if took < pause-50*time.Millisecond || took > pause+500*time.Millisecond {
		t.Errorf("went on after %s, want %s", took, pause)
	}
}

func TestPauseWhileWaiting(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Default)
	p.idle(t, 1)
	other.Set(t.Context(), queue.PausedKey(queue.Default), "why", time.Second)
	began := time.Now()
	enqueue(t, other, message(queue.Default), time.Time{}) // wakes the worker, which must see the pause
	if took := p.wait(t, 1)[0].At.Sub(began); took < 900*time.Millisecond || took > 2*time.Second {
		t.Errorf("went on after %s, want a second", took)
	}
}

// A worker that takes nothing for long, since it may not or since all its slots are busy, looks after the queue all the
// same: tasks of dead workers run again in time.
func TestAWorkerThatMayTakeNothingLooksAfterTheQueue(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	enqueue(t, other, message(queue.Default), time.Time{})
	dead, err := queue.NewStore(other).Take(t.Context(), queue.Default, false)
	if err != nil || dead.Found != queue.FoundTask {
		t.Fatalf("%+v, %v", dead, err)
	}
	other.ZAdd(t.Context(), queue.LeaseKey(queue.Default), redis.Z{Score: 1, Member: dead.ID})
	hook := dequeue.New(worker, dequeue.Options{Valve: shut{}})
	worker.AddHook(hook)
	srv := asynq.NewServerFromRedisClient(worker, dequeue.ServerConfig(queue.Default, 1))
	if err := srv.Start(asynq.HandlerFunc(succeed)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hook.Close(); srv.Shutdown() })
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(50 * time.Millisecond) {
		if state := other.HGet(t.Context(), queue.TaskKey(queue.Default, dead.ID), "state").Val(); state == "pending" {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("the task of the dead worker is %s", state)
		}
	}
}

// shut is a valve through which nobody may go.
type shut struct{}

func (shut) Enter(ctx context.Context, _ string) (dequeue.Pass, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
