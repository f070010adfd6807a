package dequeue_test

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"

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
