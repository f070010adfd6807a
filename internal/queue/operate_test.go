package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// archive enqueues a task, takes it and gives it up.
func archive(t *testing.T, store *queue.Store, m *queue.Message) {
	t.Helper()
	enqueue(t, store, m, time.Time{})
	taken, err := store.Take(t.Context(), m.Queue, false)
	if err != nil || taken.ID != m.ID {
		t.Fatalf("%+v, %v", taken, err)
	}
	mine, err := store.Settle(t.Context(), queue.Settlement{
		Delivery: queue.Delivery{ID: m.ID, Count: taken.Deliveries}, Queue: m.Queue, Verdict: queue.VerdictArchive, Message: m,
		Fields: []any{queue.FieldFailures, 25, queue.FieldRetries, 25, queue.FieldAttempts, 30}, Now: time.Now(), Counts: true,
	})
	if err != nil || !mine {
		t.Fatalf("%t, %v", mine, err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	first, second := message(queue.Default), message(queue.Default)
	archive(t, store, first)
	archive(t, store, second)
	ids, err := store.ArchivedIDs(t.Context(), queue.Default, time.Time{}, time.Now().Add(time.Second))
	if err != nil || len(ids) != 2 {
		t.Fatalf("%v, %v", ids, err)
	}
	records, err := store.Records(t.Context(), queue.Default, append(ids, "unknown"))
	if err != nil || len(records) != 3 || records[0].State != queue.Archived || records[0].ArchivedAt.IsZero() || records[2] != nil {
		t.Fatalf("%+v, %v", records, err)
	}
	for i, want := range [][]bool{{true, false}, {false, false}} {
		got, err := store.Replay(t.Context(), queue.Default, []string{first.ID, "unknown"})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("replay %d: %v (-want +got):\n%s", i+1, err, diff)
		}
	}
	taken, err := store.Take(t.Context(), queue.Default, false)
	if err != nil || taken.ID != first.ID || taken.Failures != 0 || taken.Retries != 0 || taken.Attempts != 30 || taken.Deliveries != 2 {
		t.Errorf("%+v, %v", taken, err)
	}
	if n := rdb.ZCard(t.Context(), queue.DeadKey(queue.Default)).Val(); n != 1 {
		t.Errorf("%d dead letters are noted, want 1", n)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, ctx := queue.NewStore(rdb), t.Context()
	dead := message(queue.Bulk)
	archive(t, store, dead)
	later := message(queue.Critical)
	enqueue(t, store, later, time.Now().Add(time.Hour))
	head, waits := message(queue.Default), message(queue.Default)
	if _, err := store.Enqueue(ctx, []queue.Entry{{Message: head, Lane: "a"}, {Message: waits, Lane: "a"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id   string
		in   queue.State
		want queue.State
	}{
		{dead.ID, queue.Pending, queue.Archived},
		{dead.ID, queue.Archived, queue.Archived},
		{later.ID, queue.Waiting, queue.Scheduled},
		{later.ID, queue.Scheduled, queue.Scheduled},
		{waits.ID, queue.Waiting, queue.Waiting},
		{head.ID, queue.Pending, queue.Pending},
	} {
		if was, err := store.Remove(ctx, c.id, c.in); err != nil || was != c.want {
			t.Errorf("%s, %v, want %s", was, err, c.want)
		}
	}
	if _, err := store.Remove(ctx, head.ID, queue.Pending); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := store.Remove(ctx, head.ID, queue.Active); err == nil {
		t.Error("a task in a worker's hands may be removed")
	}
	for _, name := range queue.Names {
		keys := rdb.Keys(ctx, "layerq:{"+name+"}:lane*").Val()
		if len(keys) > 0 {
			t.Errorf("%v are left", keys)
		}
	}
}

// What asynq's Inspector and asynqmon trim away is put back, and what they put there is kept.
func TestDeadLettersStay(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, ctx := queue.NewStore(rdb), t.Context()
	look := func() {
		t.Helper()
		rdb.HDel(ctx, queue.LookKey(queue.Default), "at")
		if _, err := store.Take(ctx, queue.Default, false); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for range 5 {
		m := message(queue.Default)
		archive(t, store, m)
		ids = append(ids, m.ID)
	}
	rdb.ZRem(ctx, queue.ArchivedKey(queue.Default), ids[0], ids[1]) // as their scripts trim: the hashes stay
	look()
	if n := rdb.ZCard(ctx, queue.ArchivedKey(queue.Default)).Val(); n != 5 {
		t.Errorf("%d dead letters, want 5", n)
	}
	byHand := message(queue.Default)
	rdb.HSet(ctx, queue.TaskKey(queue.Default, byHand.ID), "msg", byHand.Encode(), "state", "archived")
	rdb.ZAdd(ctx, queue.ArchivedKey(queue.Default), redis.Z{Score: 1, Member: byHand.ID})
	look()
	rdb.ZRem(ctx, queue.ArchivedKey(queue.Default), byHand.ID)
	look()
	if err := rdb.ZScore(ctx, queue.ArchivedKey(queue.Default), byHand.ID).Err(); err != nil {
		t.Errorf("what was archived by hand is trimmed: %v", err)
	}
	if _, err := store.Remove(ctx, ids[2], queue.Archived); err != nil {
		t.Fatal(err)
	}
	rdb.Del(ctx, queue.TaskKey(queue.Default, ids[3]))
	rdb.ZRem(ctx, queue.ArchivedKey(queue.Default), ids[3]) // deleted in asynqmon
	look()
	if n := rdb.ZCard(ctx, queue.DeadKey(queue.Default)).Val(); n != 4 {
		t.Errorf("%d dead letters are noted, want 4", n)
	}
}
