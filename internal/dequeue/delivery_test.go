package dequeue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
)

func TestDeliveryTellsWhatTheHashHolds(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	m := message(queue.Default)
	p := start(t, worker, func(ctx context.Context, _ *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		err := rdb.HSet(ctx, queue.TaskKey(queue.Default, id), queue.FieldResult, "done", queue.FieldAttempts, 1).Err()
		if err != nil {
			return err
		}
		return errors.New("the acknowledgement was lost")
	}, queue.Default)
	enqueue(t, rdb, m, time.Time{})
	d := p.wait(t, 2)
	first, second := d[0].Side, d[1].Side
	if first.Result != nil || first.Attempts != 0 || first.Deliveries != 1 || first.Message.ErrorMsg != "" {
		t.Errorf("first delivery: %+v", first)
	}
	if string(second.Result) != "done" || second.Attempts != 1 || second.Deliveries != 2 || second.Message.ErrorMsg != "the acknowledgement was lost" {
		t.Errorf("second delivery: %+v", second)
	}
	if m.ID != second.ID || second.Queue != queue.Default {
		t.Errorf("second delivery is of task %s in queue %s", second.ID, second.Queue)
	}
}

func TestDeliveryOfATaskWithOddFields(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	m := message(queue.Default)
	push(t, rdb, m.ID, "msg", m.Encode(), "state", "pending", queue.FieldAttempts, "many", queue.FieldDeliveries, "some")
	p := start(t, worker, nil, queue.Default)
	if d := p.wait(t, 1)[0].Side; d.Attempts != 0 || d.Deliveries != 1 || d.Crashes != 0 {
		t.Errorf("%+v", d)
	}
}

// Another program, or two producers of a Redis Cluster, may use an id in two queues.
func TestAnIDInTwoQueuesIsTwoDeliveries(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	both := make(chan struct{})
	p := start(t, worker, func(context.Context, *asynq.Task) error { <-both; return nil }, queue.Default, queue.Bulk)
	m := message(queue.Default)
	push(t, rdb, m.ID, "msg", m.Encode(), "state", "pending")
	twin := *m
	twin.Queue = queue.Bulk
	rdb.HSet(t.Context(), queue.TaskKey(queue.Bulk, m.ID), "msg", twin.Encode(), "state", "pending")
	rdb.LPush(t.Context(), queue.PendingKey(queue.Bulk), m.ID)
	got := p.wait(t, 2)
	close(both)
	if a, b := got[0].Side, got[1].Side; a == b || a.Queue == b.Queue {
		t.Errorf("%+v and %+v, want one delivery of each queue", a, b)
	}
}

func TestDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	p := start(t, worker, nil, queue.Default)
	for range 20 {
		enqueue(t, rdb, message(queue.Default), time.Time{})
	}
	p.wait(t, 20)
	eventually(t, "empty hands", func() bool { return p.hook.Hands() == 0 })
	if p.hook.Delivery(queue.Default, uuid.NewString()) != nil {
		t.Error("a delivery of a task that there is not")
	}
}

// A process may get its own task again: its lease ended, since renewals failed for a while, and its handler is not over. The
// second delivery keeps its lease, also when the first is over.
func TestTheSecondDeliveryInAProcessKeepsItsLease(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	ctx, leases := t.Context(), queue.LeaseKey(queue.Default)
	endFirst, endSecond := make(chan struct{}), make(chan struct{})
	ends := make(chan chan struct{}, 2)
	ends <- endFirst
	ends <- endSecond
	p := start(t, worker, func(_ context.Context, task *asynq.Task) error {
		if string(task.Payload()) == "slow" {
			<-<-ends
		}
		return nil
	}, queue.Default)
	m := message(queue.Default)
	m.Payload = []byte("slow")
	enqueue(t, rdb, m, time.Time{})
	first := p.wait(t, 1)[0].Side

	rdb.ZAdd(ctx, leases, redis.Z{Score: 1, Member: m.ID})
	rdb.HSet(ctx, queue.LookKey(queue.Default), "at", time.Now().Add(-time.Second).UnixMilli())
	enqueue(t, rdb, message(queue.Default), time.Time{}) // so that somebody looks
	var second *dequeue.Delivery
	eventually(t, "the second delivery", func() bool {
		for _, d := range p.deliveries() {
			if d.ID == m.ID && d.Side != first {
				second = d.Side
			}
		}
		return second != nil
	})
	if first.Mine() || first.Lost().Err() == nil || !second.Mine() {
		t.Errorf("the first delivery is this process' still: %t, the second is: %t", first.Mine(), second.Mine())
	}
	close(endFirst)
	eventually(t, "the end of the first delivery", func() bool { return p.hook.InUse() == 1 })
	given := rdb.ZScore(ctx, leases, m.ID).Val()
	eventually(t, "a renewal", func() bool { return rdb.ZScore(ctx, leases, m.ID).Val() > given })
	if !second.Mine() {
		t.Error("the second delivery is lost")
	}
	close(endSecond)
	eventually(t, "empty hands", func() bool { return p.hook.Hands() == 0 && p.hook.InUse() == 0 })
	if n := rdb.ZCard(ctx, leases).Val(); n != 0 {
		t.Errorf("%d leases are left", n)
	}
}

func TestADeliveryIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	end := make(chan struct{})
	p := start(t, worker, func(context.Context, *asynq.Task) error { <-end; return nil }, queue.Default)
	defer close(end)
	m := message(queue.Default)
	enqueue(t, rdb, m, time.Time{})
	p.wait(t, 1)
	if p.hook.Delivery(queue.Default, m.ID) != nil {
		t.Error("it was handed over twice")
	}
}

func TestADeliveryIsLostWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		d := dequeue.NewDelivery(queue.Default, queue.Taken{ID: uuid.NewString()}, message(queue.Default), nil, start)
		<-d.Lost().Done()
		if took := time.Since(start); took != queue.LeaseTime || d.Mine() {
			t.Errorf("lost after %s", took)
		}
	})
}
