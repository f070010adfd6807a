package queue_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/queue"
)

// overwrite puts something that is no hash into the place of a task.
func (b *leaseBench) overwrite(id string) {
	b.t.Helper()
	if err := b.rdb.Set(b.ctx, queue.TaskKey(queue.Default, id), "x", 0).Err(); err != nil {
		b.t.Fatal(err)
	}
}

// What somebody has written into the place of a task is no task: everything else goes on.
func TestSomethingElseInThePlaceOfATask(t *testing.T) {
	t.Parallel()
	inLane := func(b *leaseBench, at time.Time, n int) (ids []string) {
		b.t.Helper()
		var entries []queue.Entry
		for range n {
			m := message(queue.Default)
			ids = append(ids, m.ID)
			entries = append(entries, queue.Entry{Message: m, Lane: "a", ProcessAt: at})
		}
		if _, err := b.Enqueue(b.ctx, entries); err != nil {
			b.t.Fatal(err)
		}
		return ids
	}
	for _, tc := range []struct {
		name string
		// garbage makes one, and returns what is taken after it.
		garbage func(b *leaseBench) (want string)
	}{
		{"a pending head of a lane", func(b *leaseBench) string {
			ids := inLane(b, time.Time{}, 2)
			b.overwrite(ids[0])
			return ids[1]
		}},
		{"a head of a lane that waits for its retry", func(b *leaseBench) string {
			ids := inLane(b, time.Time{}, 2)
			b.settle(b.take(), queue.VerdictRetry)
			b.overwrite(ids[0])
			return ids[1]
		}},
		{"one that waits in a lane", func(b *leaseBench) string {
			ids := inLane(b, time.Time{}, 3)
			first := b.take()
			b.overwrite(ids[1])
			b.settle(first, queue.VerdictDone)
			return ids[2]
		}},
		{"one that joins its lane later", func(b *leaseBench) string {
			ids := inLane(b, time.Now().Add(time.Millisecond), 3)
			b.overwrite(ids[1])
			eventually(b.t, "the second at which they are due", func() bool {
				return b.rdb.ZCount(b.ctx, queue.ScheduledKey(queue.Default), "-inf", strconv.FormatInt(time.Now().Unix(), 10)).Val() == 3
			})
			if taken := b.take(); taken.ID != ids[0] || !b.settle(taken, queue.VerdictDone) {
				b.t.Errorf("%+v, want the first", taken)
			}
			return ids[2]
		}},
		{"one that a worker has", func(b *leaseBench) string {
			ids := inLane(b, time.Time{}, 2)
			taken := b.take()
			b.overwrite(ids[0])
			other := message(queue.Default)
			enqueue(b.t, b.Store, other, time.Time{})
			mine := b.take()
			lost, err := b.Extend(b.ctx, queue.Default, []queue.Delivery{taken.Delivery(), mine.Delivery()})
			if err != nil || !slices.Equal(lost, ids[:1]) {
				b.t.Errorf("lost %v, %v, want the overwritten one", lost, err)
			}
			if b.settle(taken, queue.VerdictDone) {
				b.t.Error("settled what is no task any more")
			}
			return ids[1]
		}},
		{"a suspect that waits", func(b *leaseBench) string {
			b.suspects(3)
			running := b.take()
			b.take()
			waiting := b.rdb.ZRange(b.ctx, queue.SuspectsKey(queue.Default), 0, -1).Val()
			b.overwrite(waiting[0])
			b.settle(running, queue.VerdictDone)
			return waiting[1]
		}},
		{"a dead letter", func(b *leaseBench) string {
			dead, m := message(queue.Default), message(queue.Default)
			enqueue(b.t, b.Store, dead, time.Time{})
			b.settle(b.take(), queue.VerdictArchive)
			b.rdb.ZRem(b.ctx, queue.ArchivedKey(queue.Default), dead.ID)
			b.overwrite(dead.ID)
			enqueue(b.t, b.Store, m, time.Time{})
			return m.ID
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			want := tc.garbage(b)
			b.look(time.Second)
			if taken := b.take(); taken.ID != want {
				t.Errorf("%+v, want %s", taken, want)
			}
		})
	}
}

// Whoever looks at a queue, or clears it, is not kept from the rest.
func TestSomethingElseAmongTasks(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	bad, good := message(queue.Default), message(queue.Default)
	if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: bad, Lane: "a"}, {Message: good, Lane: "a"}}); err != nil {
		t.Fatal(err)
	}
	b.overwrite(bad.ID)
	infos, err := b.Queues(b.ctx)
	if err != nil || infos[1].Pending != 1 || infos[1].Waiting != 1 {
		t.Errorf("%+v, %v", infos, err)
	}
	if longest, err := b.LongestLane(b.ctx, queue.Default); err != nil || longest == nil || longest.Head != bad.ID {
		t.Errorf("%+v, %v", longest, err)
	}
	states, err := b.Archive(b.ctx, queue.Default, []string{bad.ID, good.ID})
	if diff := cmp.Diff([]queue.State{"", queue.Scheduled}, states); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
