package queue_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// Somebody deletes the hash of a task, and it is enqueued again: what is left of the first one must not let the second run twice
// at a time, nor once more.
func TestLeftoverOfADeletedTaskRunsNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		leave   func(b *leaseBench, m *queue.Message) // in some state
		arrives func(b *leaseBench, id string)        // when the leftover may be found
	}{
		{"pending", func(*leaseBench, *queue.Message) {}, func(*leaseBench, string) {}},
		{"active", func(b *leaseBench, _ *queue.Message) { b.take() }, func(b *leaseBench, _ string) { b.look(time.Second) }},
		{"active, and its lease ends before it runs again", func(b *leaseBench, m *queue.Message) {
			b.take()
			b.rdb.ZAdd(b.ctx, queue.LeaseKey(queue.Default), redis.Z{Score: 1, Member: m.ID})
			b.look(time.Second)
		}, func(b *leaseBench, _ string) { b.look(time.Second) }},
		{"retry", func(b *leaseBench, _ *queue.Message) { b.settle(b.take(), queue.VerdictRetry) }, func(b *leaseBench, id string) {
			b.rdb.ZAdd(b.ctx, queue.RetryKey(queue.Default), redis.Z{Score: 1, Member: id})
		}},
		// asynq deletes the hash of what it finds there, when its time is over or somebody deletes all.
		{"completed", func(b *leaseBench, _ *queue.Message) { b.settle(b.take(), queue.VerdictDone) }, func(b *leaseBench, id string) {
			if b.rdb.ZScore(b.ctx, queue.CompletedKey(queue.Default), id).Err() == nil {
				b.t.Error("it is among the completed ones")
			}
		}},
		{"archived", func(b *leaseBench, _ *queue.Message) { b.settle(b.take(), queue.VerdictArchive) }, func(b *leaseBench, id string) {
			b.look(time.Second)
			b.take()
			if b.rdb.ZScore(b.ctx, queue.ArchivedKey(queue.Default), id).Err() == nil {
				b.t.Error("it is in the archive")
			}
		}},
	} {
		for _, v := range []queue.Verdict{queue.VerdictDone, queue.VerdictRetry, queue.VerdictArchive, queue.VerdictBack} {
			t.Run(tc.name+", then "+string(v), func(t *testing.T) {
				t.Parallel()
				b := newLeaseBench(t)
				m := message(queue.Default)
				enqueue(t, b.Store, m, time.Time{})
				tc.leave(b, m)
				b.rdb.Del(b.ctx, queue.TaskKey(queue.Default, m.ID))
				enqueue(t, b.Store, m, time.Time{})
				taken := b.take()
				if taken.ID != m.ID || taken.Crashes != 0 {
					t.Fatalf("%+v, want the task", taken)
				}
				tc.arrives(b, m.ID)
				if again := b.take(); again.Found == queue.FoundTask {
					t.Fatalf("%+v: it runs twice at a time", again)
				}
				if !b.settle(taken, v) {
					t.Fatal("not settled")
				}
				b.rdb.ZAddXX(b.ctx, queue.RetryKey(queue.Default), redis.Z{Score: 1e10, Member: m.ID}) // not due while this runs
				for range 2 {
					b.look(time.Second)
					b.rdb.ZAddXX(b.ctx, queue.LeaseKey(queue.Default), redis.Z{Score: 1, Member: m.ID})
					again := b.take()
					if v == queue.VerdictBack && again.ID == m.ID {
						v = queue.VerdictDone
						b.settle(again, v)
					} else if again.Found == queue.FoundTask {
						t.Fatalf("%+v: it runs once more", again)
					}
				}
				active, leases := b.rdb.LLen(b.ctx, queue.ActiveKey(queue.Default)).Val(), b.rdb.ZCard(b.ctx, queue.LeaseKey(queue.Default)).Val()
				if active != 0 || leases != 0 {
					t.Errorf("%d active, %d leases, want none", active, leases)
				}
			})
		}
	}
}
