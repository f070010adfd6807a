package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/redistest"
)

// Redis undoes nothing of a script that fails. A task of which a half was stored would be there already when it is enqueued again,
// and would never run.
func TestNoHalfATaskIsStored(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		key     string // somebody has written a string there
		entry   queue.Entry
		waiting bool // a task of the lane is there
	}{
		{name: "to run now", key: queue.PendingKey(queue.Default)},
		{name: "to run later", key: queue.ScheduledKey(queue.Default), entry: queue.Entry{ProcessAt: time.Now().Add(time.Hour)}},
		{name: "the first of a lane", key: queue.PendingKey(queue.Default), entry: queue.Entry{Lane: "a"}},
		{name: "one that stops its lane", key: queue.PendingKey(queue.Default), entry: queue.Entry{Lane: "a", StopLane: true}},
		{name: "where lanes are noted", key: queue.HeadsKey(queue.Default), entry: queue.Entry{Lane: "a"}},
		{name: "behind another one", key: queue.LaneKey(queue.Default, "a"), entry: queue.Entry{Lane: "a"}, waiting: true},
		{name: "behind another one, for later", key: queue.LaterKey(queue.Default, "a"), entry: queue.Entry{Lane: "a", ProcessAt: time.Now().Add(time.Hour)}, waiting: true},
		{name: "to wait for its turn", key: queue.ScheduledKey(queue.Default), entry: queue.Entry{Lane: "a"}, waiting: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			var want []string
			if tc.waiting {
				head := message(queue.Default)
				if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: head, Lane: "a"}}); err != nil {
					t.Fatal(err)
				}
				want = append(want, head.ID)
			}
			if err := b.rdb.Set(b.ctx, tc.key, "x", 0).Err(); err != nil {
				t.Fatal(err)
			}
			tc.entry.Message = message(queue.Default)
			_, err := b.Enqueue(b.ctx, []queue.Entry{tc.entry})
			if err == nil || !strings.Contains(err.Error(), ": WRONGTYPE ") || strings.Contains(err.Error(), "script") {
				t.Errorf("%v, want Redis' word, and no more", err)
			}
			if rec, err := b.Find(b.ctx, tc.entry.Message.ID); !errors.Is(err, queue.ErrNotFound) {
				t.Errorf("%+v, %v, want no task", rec, err)
			}
			b.rdb.Del(b.ctx, tc.key)
			if n := b.rdb.ZCard(b.ctx, queue.ScheduledKey(queue.Default)).Val(); n != 0 {
				t.Errorf("%d are scheduled, want none", n)
			}
			after := queue.Entry{Message: message(queue.Default), Lane: tc.entry.Lane} // passes over what stayed behind
			tc.entry.ProcessAt = time.Time{}
			answers, err := b.Enqueue(b.ctx, []queue.Entry{after, tc.entry})
			if err != nil || answers[1].Existing != nil {
				t.Fatalf("again: %+v, %v, want it to be new", answers, err)
			}
			want = append(want, after.Message.ID, tc.entry.Message.ID)
			var got []string
			for taken := b.take(); taken.Found == queue.FoundTask; taken = b.take() {
				got = append(got, taken.ID)
				b.settle(taken, queue.VerdictDone)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v ran, want %v", got, want)
			}
		})
	}
}

// An enqueue that fails harms none of those that were in the lane before.
func TestAFailedEnqueueLosesNoOtherTask(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	due, gone, next := message(queue.Default), message(queue.Default), message(queue.Default)
	if _, err := b.Enqueue(b.ctx, []queue.Entry{
		{Message: due, Lane: "due", ProcessAt: time.Now().Add(time.Hour)}, {Message: gone, Lane: "gone"}, {Message: next, Lane: "gone"},
	}); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{queue.ScheduledKey(queue.Default), queue.LaterKey(queue.Default, "due")} { // it is due now
		for _, member := range b.rdb.ZRange(b.ctx, set, 0, -1).Val() {
			if strings.Contains(member, due.ID) {
				b.rdb.ZAdd(b.ctx, set, redis.Z{Score: 1, Member: member})
			}
		}
	}
	b.rdb.Del(b.ctx, queue.TaskKey(queue.Default, gone.ID), queue.PendingKey(queue.Default))
	b.rdb.Set(b.ctx, queue.PendingKey(queue.Default), "x", 0)
	for _, lane := range []string{"due", "gone"} {
		if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: message(queue.Default), Lane: lane}}); err == nil {
			t.Errorf("lane %s: no error", lane)
		}
	}
	for range 2 {
		b.look(time.Second)
		if taken, err := b.Take(b.ctx, queue.Default, false); err == nil {
			t.Errorf("%+v, want an error", taken)
		}
	}
	b.rdb.Del(b.ctx, queue.PendingKey(queue.Default))
	b.look(time.Second)
	got := []string{b.take().ID, b.take().ID}
	slices.Sort(got)
	want := []string{due.ID, next.ID}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v run, want %v", got, want)
	}
}

// A delivery whose end cannot be written down is the worker's still, with what it came to.
func TestATaskThatCannotBeMovedStays(t *testing.T) {
	t.Parallel()
	for verdict, key := range map[queue.Verdict]string{
		queue.VerdictDone:    queue.CompletedKey(queue.Default),
		queue.VerdictRetry:   queue.RetryKey(queue.Default),
		queue.VerdictArchive: queue.ArchivedKey(queue.Default),
		queue.VerdictBack:    queue.PendingKey(queue.Default),
	} {
		t.Run(string(verdict), func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			m, next := message(queue.Default), message(queue.Default)
			if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: m, Lane: "a"}, {Message: next, Lane: "a"}}); err != nil {
				t.Fatal(err)
			}
			taken := b.take()
			b.rdb.Del(b.ctx, key)
			b.rdb.Set(b.ctx, key, "x", 0)
			end := queue.Settlement{
				Delivery: taken.Delivery(), Queue: queue.Default, Verdict: verdict, Message: m, Fields: []any{queue.FieldAttempts, 1},
				Now: time.Now(), Counts: true,
			}
			if mine, err := b.Settle(b.ctx, end); err == nil {
				t.Fatalf("%t, want an error", mine)
			}
			if got := b.rdb.HGet(b.ctx, queue.TaskKey(queue.Default, m.ID), queue.FieldAttempts).Val(); got != "1" {
				t.Errorf("%q attempts are noted, want 1", got)
			}
			b.rdb.Del(b.ctx, key)
			if lost, err := b.Extend(b.ctx, queue.Default, []queue.Delivery{taken.Delivery()}); err != nil || len(lost) > 0 {
				t.Errorf("%v, %v: the task is not the worker's", lost, err)
			}
			if mine, err := b.Settle(b.ctx, end); err != nil || !mine {
				t.Errorf("again: %t, %v", mine, err)
			}
			if rec, err := b.Find(b.ctx, next.ID); err != nil || rec.State != queue.Pending && (verdict == queue.VerdictDone || verdict == queue.VerdictArchive) {
				t.Errorf("the next one of its lane: %+v, %v", rec, err)
			}
		})
	}
}

// A replay that fails leaves the task in the archive.
func TestATaskThatCannotBeReplayedStaysArchived(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ lane, key string }{
		{"", queue.PendingKey(queue.Default)},
		{"a", queue.PendingKey(queue.Default)},
		{"a", queue.HeadsKey(queue.Default)},
		{"a", queue.LaneKey(queue.Default, "a")},
		{"a", queue.ScheduledKey(queue.Default)},
	} {
		t.Run(tc.lane+" "+tc.key, func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			m, head := message(queue.Default), message(queue.Default)
			if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: m, Lane: tc.lane}, {Message: head, Lane: tc.lane}}); err != nil {
				t.Fatal(err)
			}
			b.settle(b.take(), queue.VerdictArchive)
			aside := queue.Prefix(queue.Default) + "aside"
			before := b.rdb.Rename(b.ctx, tc.key, aside).Err() == nil
			b.rdb.Set(b.ctx, tc.key, "x", 0)
			if _, err := b.Replay(b.ctx, queue.Default, []string{m.ID}); err == nil {
				t.Error("no error")
			}
			if b.rdb.ZScore(b.ctx, queue.ArchivedKey(queue.Default), m.ID).Err() != nil || b.rdb.ZScore(b.ctx, queue.DeadKey(queue.Default), m.ID).Err() != nil {
				t.Error("it is not in the archive")
			}
			b.rdb.Del(b.ctx, tc.key)
			if before {
				b.rdb.Rename(b.ctx, aside, tc.key)
			}
			if again, err := b.Replay(b.ctx, queue.Default, []string{m.ID}); err != nil || !again[0] {
				t.Errorf("again: %t, %v", again, err)
			}
		})
	}
}

// Rights may be taken away while workers run: a task that cannot be read is no garbage.
func TestATaskThatCannotBeReadIsKept(t *testing.T) {
	t.Parallel()
	if !redistest.Real() {
		t.Skip("the embedded Redis has no users; runs where " + redistest.EnvAddr + " is set")
	}
	for _, tc := range []struct {
		name       string
		prepare    func(b *leaseBench, m *queue.Message)
		deliveries int
	}{
		{"pending", func(b *leaseBench, m *queue.Message) { enqueue(b.t, b.Store, m, time.Time{}) }, 1},
		{"due", func(b *leaseBench, m *queue.Message) {
			enqueue(b.t, b.Store, m, time.Now().Add(time.Hour))
			b.rdb.ZAdd(b.ctx, queue.ScheduledKey(queue.Default), redis.Z{Score: 1, Member: m.ID})
		}, 1},
		{"its worker died", func(b *leaseBench, m *queue.Message) {
			enqueue(b.t, b.Store, m, time.Time{})
			b.take()
			b.die(m.ID)
		}, 2},
		{"of another program's group", func(b *leaseBench, m *queue.Message) {
			b.rdb.HSet(b.ctx, queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "aggregating", "group", "g")
			b.rdb.ZAdd(b.ctx, "asynq:{default}:g:g", redis.Z{Score: 1, Member: m.ID})
			b.rdb.SAdd(b.ctx, "asynq:{default}:groups", "g")
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			m := message(queue.Default)
			tc.prepare(b, m)
			poor := queue.NewStore(withoutTasks(t, b.rdb))
			for range 3 {
				b.look(time.Second)
				if taken, err := poor.Take(b.ctx, queue.Default, false); err == nil || !strings.HasPrefix(redischeck.Explain(err), "forbids its user what ") {
					t.Fatalf("%+v, %v, want it refused", taken, err)
				}
			}
			b.look(time.Second)
			if taken := b.take(); taken.ID != m.ID || taken.Deliveries != tc.deliveries {
				t.Errorf("%+v, want task %s", taken, m.ID)
			}
			if n := b.rdb.LLen(b.ctx, queue.ActiveKey(queue.Default)).Val(); n != 1 {
				t.Errorf("%d are active, want 1", n)
			}
		})
	}
}

// withoutTasks returns a client of the same Redis whose user has no rights on the hashes of tasks.
func withoutTasks(t *testing.T, rdb redis.UniversalClient) *redis.Client {
	t.Helper()
	user := uuid.NewString()
	if err := rdb.Do(t.Context(), "acl", "setuser", user, "on", "nopass", "~layerq:*", "~asynq:{default}:[^t]*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	client, ok := rdb.(*redis.Client)
	if !ok {
		t.Fatalf("%T", rdb)
	}
	opts := *client.Options()
	opts.Username, opts.Password = user, "any"
	poor := redis.NewClient(&opts)
	t.Cleanup(func() {
		_ = poor.Close()
		_ = rdb.Do(context.WithoutCancel(t.Context()), "acl", "deluser", user).Err()
	})
	return poor
}
