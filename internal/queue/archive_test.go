package queue_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/queue"
)

// A lane goes on in the step in which its head is archived by hand, passes over those that were archived while they waited, and
// stops where that was asked for.
func TestArchiveByHandInALane(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	names := []string{"head", "waits", "next", "stops", "last", "later"}
	ids := make(map[string]string)
	var entries []queue.Entry
	for _, name := range names {
		m := message(queue.Default)
		ids[name] = m.ID
		e := queue.Entry{Message: m, Lane: "a", StopLane: name == "stops"}
		if name == "later" {
			e.ProcessAt = time.Now().Add(time.Hour)
		}
		entries = append(entries, e)
	}
	if _, err := b.Enqueue(b.ctx, entries); err != nil {
		t.Fatal(err)
	}
	archive := func(want []queue.State, names ...string) {
		t.Helper()
		var which []string
		for _, name := range names {
			which = append(which, ids[name])
		}
		states, err := b.Archive(b.ctx, queue.Default, which)
		if diff := cmp.Diff(want, states); diff != "" || err != nil {
			t.Fatalf("archive %v: %v (-want +got):\n%s", names, err, diff)
		}
	}
	pending := func(want ...string) {
		t.Helper()
		got := b.rdb.LRange(b.ctx, queue.PendingKey(queue.Default), 0, -1).Val()
		for i := range want {
			want[i] = ids[want[i]]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v are pending, want %v", got, want)
		}
	}
	archive([]queue.State{queue.Scheduled, queue.Scheduled}, "waits", "later")
	if keys := b.rdb.Keys(b.ctx, "layerq:{default}:later*").Val(); len(keys) > 0 {
		t.Errorf("%v are left", keys)
	}
	pending("head")
	archive([]queue.State{queue.Pending}, "head")
	pending("next")
	archive([]queue.State{queue.Pending, queue.Pending}, "next", "stops") // whose turn it is by then
	pending()
	b.look(10 * time.Second)
	if taken := b.take(); taken.Found != queue.FoundIdle {
		t.Errorf("the lane goes on: %+v", taken)
	}
	if replayed, err := b.Replay(b.ctx, queue.Default, []string{ids["stops"], ids["waits"]}); err != nil || !replayed[0] || !replayed[1] {
		t.Fatalf("%v, %v", replayed, err)
	}
	for _, name := range []string{"stops", "last", "waits"} {
		taken := b.take()
		if taken.ID != ids[name] {
			t.Fatalf("%+v, want %s", taken, name)
		}
		b.settle(taken, queue.VerdictDone)
	}
}

// What is not where its state says is left for the workers.
func TestArchiveAllTakesWhatItFinds(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	var ids []string
	pipe := b.rdb.Pipeline()
	for range 1_100 {
		m := message(queue.Default)
		pipe.HSet(b.ctx, queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "pending")
		pipe.LPush(b.ctx, queue.PendingKey(queue.Default), m.ID)
		ids = append(ids, m.ID)
	}
	if _, err := pipe.Exec(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.rdb.Del(b.ctx, queue.TaskKey(queue.Default, ids[0]))
	b.rdb.HSet(b.ctx, queue.TaskKey(queue.Default, ids[1]), "state", "completed")
	if n, err := b.ArchiveAll(b.ctx, queue.Default, queue.Pending); err != nil || n != 1_098 {
		t.Errorf("%d archived, %v", n, err)
	}
	if left := b.rdb.LRange(b.ctx, queue.PendingKey(queue.Default), 0, -1).Val(); !slices.Equal(left, []string{ids[1], ids[0]}) {
		t.Errorf("%v are left, want %v", left, ids[:2])
	}
	b.rdb.RPush(b.ctx, queue.PendingKey(queue.Default), ids[2]) // a leftover: it is not pending
	states, err := b.Archive(b.ctx, queue.Default, ids[:3])
	if diff := cmp.Diff([]queue.State{"", queue.Completed, queue.Archived}, states); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A task that cannot be noted stays where it is.
func TestArchiveByHandFailsBeforeAnythingIsMoved(t *testing.T) {
	t.Parallel()
	for _, key := range []string{queue.DeadKey(queue.Default), queue.ArchivedKey(queue.Default)} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			m := message(queue.Default)
			enqueue(t, b.Store, m, time.Time{})
			b.rdb.Set(b.ctx, key, "somebody wrote this", 0)
			if _, err := b.Archive(b.ctx, queue.Default, []string{m.ID}); err == nil {
				t.Error("it was archived")
			}
			if n, err := b.ArchiveAll(b.ctx, queue.Default, queue.Pending); err == nil || n != 0 {
				t.Errorf("%d archived, %v", n, err)
			}
			if found, err := b.Find(b.ctx, m.ID); err != nil || found.State != queue.Pending {
				t.Errorf("%+v, %v", found, err)
			}
			b.rdb.Del(b.ctx, key)
			if taken := b.take(); taken.ID != m.ID {
				t.Errorf("%+v", taken)
			}
		})
	}
}

// Each task in the archive is there with a reason.
func TestArchiveByHandSaysSo(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	full := message(queue.Default)
	full.Deadline, full.CompletedAt, full.UniqueKey, full.Headers["a"] = 1<<40, -1, "u", strings.Repeat("x", 300)
	for _, tc := range []struct {
		name, want string
		message    *queue.Message
		failed     string // an execution before
	}{
		{"a new one", "archived by hand", message(queue.Default), ""},
		{"one with all there may be", "archived by hand", full, ""},
		{"one that failed before", "503 service_unavailable", message(queue.Default), "503 service_unavailable"},
	} {
		m := tc.message
		enqueue(t, b.Store, m, time.Time{})
		if tc.failed != "" {
			taken := b.take()
			m.ErrorMsg = tc.failed
			if _, err := b.Settle(b.ctx, queue.Settlement{
				Delivery: taken.Delivery(), Queue: queue.Default, Verdict: queue.VerdictRetry, Message: m, Now: time.Now(),
				Fields: []any{queue.FieldCode, "not_found", queue.FieldDeliveries, 1}, // of before a replay
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Archive(b.ctx, queue.Default, []string{m.ID}); err != nil {
			t.Fatal(err)
		}
		rec, err := b.Find(b.ctx, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Message.ErrorMsg != tc.want || rec.Code != queue.CodeByHand {
			t.Errorf("%s: error %q, code %q", tc.name, rec.Message.ErrorMsg, rec.Code)
		}
		m.ErrorMsg = tc.want
		if diff := cmp.Diff(m, rec.Message); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if info, err := asynq.NewInspectorFromRedisClient(b.rdb).GetTaskInfo(queue.Default, m.ID); err != nil || info.LastErr != tc.want {
			t.Errorf("%s: asynq sees %+v, %v", tc.name, info, err)
		}
		if replayed, err := b.Replay(b.ctx, queue.Default, []string{m.ID}); err != nil || !replayed[0] {
			t.Fatalf("%s: %v, %v", tc.name, replayed, err)
		}
		fields := b.rdb.HGetAll(b.ctx, queue.TaskKey(queue.Default, m.ID)).Val()
		if code, there := fields[queue.FieldCode]; there {
			t.Errorf("%s: it was replayed, and has the code %q still", tc.name, code)
		}
		if tc.failed != "" && fields[queue.FieldDeliveries] == "" {
			t.Errorf("%s: it was not this that found nothing, and the calls of before are forgotten", tc.name)
		}
		b.settle(b.take(), queue.VerdictDone)
	}
}

// What is no message stays what it was: it is all that there is to find out about it.
func TestArchiveByHandLeavesGarbageAsItIs(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	for _, garbage := range []string{"{\"a\":1}", "\xff", "\x0a\xff\xff", "\x08", "\x12\x05ab", "\x09ab"} {
		id := uuid.NewString()
		b.rdb.HSet(b.ctx, queue.TaskKey(queue.Default, id), "msg", garbage, "state", "pending")
		b.rdb.LPush(b.ctx, queue.PendingKey(queue.Default), id)
		if states, err := b.Archive(b.ctx, queue.Default, []string{id}); err != nil || states[0] != queue.Pending {
			t.Fatalf("%q: %v, %v", garbage, states, err)
		}
		if got := b.rdb.HMGet(b.ctx, queue.TaskKey(queue.Default, id), "msg", queue.FieldCode).Val(); got[0] != garbage || got[1] != queue.CodeByHand {
			t.Errorf("%q became %q", garbage, got)
		}
	}
}
