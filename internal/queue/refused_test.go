package queue_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// refusing is a Redis that refuses single commands of a pipeline: each gets the error of its number, or is carried out.
type refusing func(n int) error

func (r refusing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r refusing) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (r refusing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var sent []redis.Cmder
		scripts := 0
		for _, cmd := range cmds {
			if name := cmd.Name(); name == "eval" || name == "evalsha" {
				scripts++
				if err := r(scripts); err != nil {
					cmd.SetErr(err)
					continue
				}
			}
			sent = append(sent, cmd)
		}
		return next(ctx, sent)
	}
}

// answer is an error as Redis answers it.
type answer string

func (a answer) Error() string { return string(a) }

func (answer) RedisError() {}

// A list that was enqueued in part is enqueued again: what Redis refused in the middle of it keeps its place in its lane.
func TestRefusedInTheMiddleKeepsItsPlace(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		refused answer
		wantErr bool
	}{
		{"memory is full for a moment", "OOM command not allowed when used memory > 'maxmemory'.", true},
		{"the script was flushed, and another producer loaded it", "NOSCRIPT No matching script. Please use EVAL.", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			other := redistest.New(t)
			rdb := redistest.New(t)
			refuse := true
			rdb.AddHook(refusing(func(n int) error {
				if refuse && (n == 3 || n == 7) {
					return tc.refused
				}
				return nil
			}))
			store := queue.NewStore(rdb)
			var entries []queue.Entry
			var want []string // of lane a
			for i := range 10 {
				e := queue.Entry{Message: message(queue.Default), Lane: []string{"a", "b"}[i%2]}
				if i == 8 {
					e.Lane = "" // whatever is refused before it
				}
				if e.Lane == "a" {
					want = append(want, e.Message.ID)
				}
				entries = append(entries, e)
			}
			answers, err := store.Enqueue(t.Context(), entries)
			if (err != nil) != tc.wantErr {
				t.Fatal(err)
			}
			for i, a := range answers {
				if wantErr := tc.wantErr && slices.Contains([]int{2, 4, 6}, i); (a.Err != nil) != wantErr || a.Existing != nil {
					t.Errorf("entry %d: %+v", i, a)
				}
			}
			refuse = false
			if answers, err = store.Enqueue(t.Context(), entries); err != nil {
				t.Fatal(err)
			}
			for i, a := range answers {
				if a.Err != nil || a.Existing != nil {
					t.Errorf("again, entry %d: %+v", i, a)
				}
			}
			if got := workedOff(t, queue.NewStore(other), "a"); !slices.Equal(got, want) {
				t.Errorf("lane a is run in the order\n%v, want\n%v", got, want)
			}
		})
	}
}

// workedOff takes and completes everything in the default queue, and returns what was of a lane.
func workedOff(t *testing.T, store *queue.Store, lane string) (ids []string) {
	t.Helper()
	for {
		taken, err := store.Take(t.Context(), queue.Default, false)
		if err != nil {
			t.Fatal(err)
		}
		if taken.Found != queue.FoundTask {
			return ids
		}
		m := message(queue.Default)
		m.ID = taken.ID
		mine, err := store.Settle(t.Context(), queue.Settlement{
			Delivery: taken.Delivery(), Queue: queue.Default, Verdict: queue.VerdictDone, Message: m, Now: time.Now(),
		})
		if err != nil || !mine {
			t.Fatalf("%t, %v", mine, err)
		}
		if taken.Lane == lane {
			ids = append(ids, taken.ID)
		}
	}
}

// One that is there in another queue is not refused: what comes after it in the list is enqueued.
func TestWhatComesAfterADuplicateInAnotherQueue(t *testing.T) {
	t.Parallel()
	store := queue.NewStore(redistest.New(t))
	there := message(queue.Bulk)
	enqueue(t, store, there, time.Time{})
	twin := message(queue.Default)
	twin.ID = there.ID
	answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: twin, Lane: "a"}, {Message: message(queue.Default), Lane: "a"}})
	if err != nil || answers[0].Existing == nil || answers[1].Existing != nil || answers[1].Waits {
		t.Errorf("%+v, %v", answers, err)
	}
}
