package dequeue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

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
