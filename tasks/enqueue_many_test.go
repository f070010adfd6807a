package tasks_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

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

// refusing is a Redis that refuses one script of the first pipeline.
type refusing struct {
	nth  int
	done bool
}

func (r *refusing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *refusing) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (r *refusing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var sent []redis.Cmder
		for i, cmd := range cmds {
			if i == r.nth && !r.done {
				cmd.SetErr(outOfMemory{})
				continue
			}
			sent = append(sent, cmd)
		}
		r.done = true
		return next(ctx, sent)
	}
}

type outOfMemory struct{}

func (outOfMemory) Error() string { return "OOM command not allowed when used memory > 'maxmemory'." }

func (outOfMemory) RedisError() {}

// Redis' memory was full for one task of a long list, and not for those after it. The list is enqueued again.
func TestEnqueueManyAgainKeepsTheOrderOfLanes(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	const n, nth = 1_100, 302 // three round trips; nth fails in the first
	rdb.AddHook(&refusing{nth: nth})
	c, err := tasks.NewClientFromRedis(rdb)
	if err != nil {
		t.Fatal(err)
	}
	requests := make([]tasks.Request, n)
	var want []string
	for i := range requests {
		owner := "ana"
		if i%10 == 9 {
			owner = "boris" // another lane
		} else {
			want = append(want, tasks.KeyID(tasks.TypeBlockUser, strconv.Itoa(i)).String())
		}
		requests[i] = tasks.Request{Task: tasks.BlockUser{Owner: owner, User: strconv.Itoa(i)}, Options: []tasks.Option{tasks.Key(strconv.Itoa(i))}}
	}
	answers, err := c.EnqueueMany(t.Context(), requests)
	if err == nil {
		t.Fatal("no error")
	}
	for i, a := range answers {
		wantOutcome := "enqueued"
		if i >= nth-1 && i%10 != 9 { // one command before the scripts publishes the queue's name
			wantOutcome = "*tasks.RedisError"
		}
		if got := outcome(a); got != wantOutcome {
			t.Fatalf("answer %d is %s (%v), want %s", i, got, a.Err, wantOutcome)
		}
	}
	if _, err := c.EnqueueMany(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	store := queue.NewStore(redistest.New(t))
	var got []string
	for len(got) < len(want) {
		taken, err := store.Take(t.Context(), queue.Default, false)
		if err != nil || taken.Found != queue.FoundTask {
			t.Fatalf("after %d tasks: %+v, %v", len(got), taken, err)
		}
		m := queue.Message{ID: taken.ID, Queue: queue.Default, Type: tasks.TypeBlockUser}
		if _, err := store.Settle(t.Context(), queue.Settlement{
			Delivery: taken.Delivery(), Queue: queue.Default, Verdict: queue.VerdictDone, Message: &m, Now: time.Now(),
		}); err != nil {
			t.Fatal(err)
		}
		if taken.Lane == "blocks:ana" {
			got = append(got, taken.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Error("the lane is run in another order than that of the list")
	}
}
