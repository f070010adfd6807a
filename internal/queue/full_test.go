package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// A Redis whose memory is full takes no more tasks, and gives out those that it has.
func TestAFullRedisIsEmptied(t *testing.T) {
	t.Parallel()
	rdb := redisServer(t)
	store, ctx := queue.NewStore(rdb), t.Context()
	var entries []queue.Entry
	for range 20 {
		entries = append(entries, queue.Entry{Message: message(queue.Default), Lane: "a"})
	}
	if _, err := store.Enqueue(ctx, entries); err != nil {
		t.Fatal(err)
	}
	if err := rdb.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Enqueue(ctx, []queue.Entry{{Message: message(queue.Default)}}); !redis.HasErrorPrefix(err, "OOM") && (err == nil || !strings.Contains(err.Error(), "OOM")) {
		t.Errorf("%v, want Redis' word that it is full", err)
	}
	for i, e := range entries {
		taken, err := store.Take(ctx, queue.Default, false)
		if err != nil || taken.ID != e.Message.ID {
			t.Fatalf("task %d: %+v, %v", i, taken, err)
		}
		d := taken.Delivery()
		if lost, err := store.Extend(ctx, queue.Default, []queue.Delivery{d}); err != nil || len(lost) > 0 {
			t.Errorf("renewal: lost %v, %v", lost, err)
		}
		mine, err := store.Settle(ctx, queue.Settlement{
			Delivery: d, Queue: queue.Default, Verdict: queue.VerdictDone, Message: e.Message, Now: time.Now(), Counts: true,
			Fields: []any{queue.FieldResult, "{}"},
		})
		if err != nil || !mine {
			t.Fatalf("task %d: %t, %v", i, mine, err)
		}
	}
}

// Nothing that an operator does to make room, or to go on, needs room first.
func TestAFullRedisIsOperated(t *testing.T) {
	t.Parallel()
	rdb := redisServer(t)
	store, ctx := queue.NewStore(rdb), t.Context()
	dead, gone := message(queue.Default), message(queue.Default)
	archive(t, store, dead)
	enqueue(t, store, gone, time.Time{})
	if err := rdb.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if was, err := store.Remove(ctx, gone.ID, queue.Pending); err != nil || was != queue.Pending {
		t.Errorf("%q, %v", was, err)
	}
	if again, err := store.Replay(ctx, queue.Default, []string{dead.ID}); err != nil || !again[0] {
		t.Errorf("%t, %v", again, err)
	}
}

// What a worker has done is known, also if it says so too late to a Redis whose memory is full.
func TestAFullRedisNotesALateSuccess(t *testing.T) {
	t.Parallel()
	rdb := redisServer(t)
	b := &leaseBench{queue.NewStore(rdb), t, t.Context(), rdb}
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	first := b.take()
	b.die(m.ID)
	if err := rdb.ConfigSet(b.ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	b.take()
	if b.settle(first, queue.VerdictDone, queue.FieldResult, "late") {
		t.Error("the task was still the first worker's")
	}
	if rec, err := b.Find(b.ctx, m.ID); err != nil || string(rec.Result) != "late" {
		t.Errorf("%+v, %v, want the result", rec, err)
	}
}
