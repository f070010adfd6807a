package tasks_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

func TestEnqueueManyAnswersInOrder(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const n = 1_203 // three round trips
	requests := make([]tasks.Request, n)
	for i := range requests {
		key := fmt.Sprint("k", i%1_000) // the last 203 are duplicates
		requests[i] = tasks.Request{Task: tasks.BlockUser{Owner: "ana", User: key}, Options: []tasks.Option{tasks.Key(key)}}
	}
	requests[7].Task = tasks.BlockUser{}
	requests[8].Options = []tasks.Option{tasks.Queue("fast")}
	requests[1_100].Task = tasks.UnblockUser{Owner: "ana", User: "x"} // another type has another UUID
	requests[1_101].Task = tasks.BlockUser{Owner: "boris", User: "x"}
	requests[1_102].Task = nil

	answers, err := c.EnqueueMany(t.Context(), requests)
	if err != nil || len(answers) != n {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for i, a := range answers {
		var want string
		switch i {
		case 7, 8, 1_102:
			want = "*tasks.InvalidError"
		case 1_101:
			want = "*tasks.ConflictError"
		case 1_007, 1_008, 1_100: // the first of these was never enqueued
			want = "enqueued"
		default:
			want = map[bool]string{false: "enqueued", true: "duplicate"}[i >= 1_000]
		}
		if got := outcome(a); got != want {
			t.Errorf("answer %d is %s (%v), want %s", i, got, a.Err, want)
		}
	}
}

func outcome(a tasks.Answer) string {
	switch {
	case a.Err != nil:
		return fmt.Sprintf("%T", a.Err)
	case a.Info.Duplicate:
		return "duplicate"
	default:
		return "enqueued"
	}
}

func TestEnqueueManyKeepsTheOrderInTheQueue(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	var requests []tasks.Request
	for i := range 600 {
		requests = append(requests, tasks.Request{Task: tasks.BlockUser{Owner: strconv.Itoa(i), User: "ana"}})
	}
	answers, err := c.EnqueueMany(t.Context(), requests)
	if err != nil {
		t.Fatal(err)
	}
	pending := redistest.New(t).LRange(t.Context(), queue.PendingKey(queue.Default), 0, -1).Val()
	for i, a := range answers {
		if got := pending[len(pending)-1-i]; got != a.Info.ID.String() {
			t.Fatalf("task %d in the queue is %s, want %s", i, got, a.Info.ID)
		}
	}
}

func TestEnqueueManySplitsLargePayloads(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	large := strings.Repeat("x", 250<<10)
	requests := make([]tasks.Request, 40) // 10 MB
	for i := range requests {
		requests[i] = tasks.Request{Task: tasks.BlockUser{Owner: large, User: strconv.Itoa(i)}}
	}
	answers, err := c.EnqueueMany(t.Context(), requests)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if outcome(a) != "enqueued" {
			t.Errorf("answer %d: %v", i, a.Err)
		}
	}
}

func TestEnqueueManyOfNothing(t *testing.T) {
	t.Parallel()
	if answers, err := newClient(t).EnqueueMany(t.Context(), nil); err != nil || len(answers) != 0 {
		t.Errorf("%v, %v", answers, err)
	}
}
