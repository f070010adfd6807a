package dequeue_test

import (
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// model is what the script should do, as simply as it can be said.
type model struct {
	pending []string           // the next one first
	delayed map[string]float64 // due since the epoch: all in the past
	later   []string           // never due in the test
	active  []string
	ghosts  map[string]bool
	paused  bool
	count   map[string]int // deliveries
}

// take returns what one run of the script should do.
func (m *model) take() (outcome, id string, dropped []string) {
	due := make([]string, 0, len(m.delayed))
	for id := range m.delayed {
		due = append(due, id)
	}
	sort.Slice(due, func(i, j int) bool {
		if a, b := m.delayed[due[i]], m.delayed[due[j]]; a != b {
			return a < b
		}
		return due[i] < due[j]
	})
	for _, id := range due {
		if m.ghosts[id] {
			dropped = append(dropped, id)
		} else {
			m.pending = append(m.pending, id)
		}
	}
	clear(m.delayed)
	if m.paused {
		return "paused", "", dropped
	}
	for len(m.pending) > 0 {
		id, m.pending = m.pending[0], m.pending[1:]
		if !m.ghosts[id] {
			m.active = append(m.active, id)
			m.count[id]++
			return "task", id, dropped
		}
		dropped = append(dropped, id)
	}
	return "idle", "", dropped
}

// The script hands out what is pending in its order, with what is due behind
// it, drops what has no task, stops while the queue is paused, and loses nothing.
func TestScriptDoesWhatASimpleModelDoes(t *testing.T) {
	t.Parallel()
	rdb, ctx := redistest.New(t), t.Context()
	const q = queue.Default
	rapid.Check(t, func(rt *rapid.T) {
		if err := rdb.FlushDB(ctx).Err(); err != nil {
			rt.Fatal(err)
		}
		m := &model{delayed: map[string]float64{}, ghosts: map[string]bool{}, count: map[string]int{}}
		n := 0
		fresh := func(rt *rapid.T) string {
			n++
			id := fmt.Sprintf("id-%03d", n)
			switch ghost := rapid.IntRange(0, 9).Draw(rt, "ghost"); ghost {
			case 0: // the hash is gone
				m.ghosts[id] = true
			case 1: // something that came too late
				m.ghosts[id] = true
				rdb.HSet(ctx, queue.TaskKey(q, id), "result", "late")
			case 2: // no hash
				m.ghosts[id] = true
				rdb.Set(ctx, queue.TaskKey(q, id), "x", 0)
			default:
				rdb.HSet(ctx, queue.TaskKey(q, id), "msg", "m-"+id, "state", "any")
			}
			return id
		}
		delay := func(key string) func(*rapid.T) {
			return func(rt *rapid.T) {
				id, score := fresh(rt), float64(rapid.IntRange(1, 5).Draw(rt, "score"))
				// Both sets in one model: their ids are due at different times.
				if key == queue.RetryKey(q) {
					score += 10
				}
				m.delayed[id] = score
				rdb.ZAdd(ctx, key, redis.Z{Score: score, Member: id})
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"push": func(rt *rapid.T) {
				id := fresh(rt)
				m.pending = append(m.pending, id)
				rdb.LPush(ctx, queue.PendingKey(q), id)
			},
			"schedule": delay(queue.ScheduledKey(q)),
			"retry":    delay(queue.RetryKey(q)),
			"later": func(rt *rapid.T) {
				id := fresh(rt)
				m.later = append(m.later, id)
				rdb.ZAdd(ctx, queue.ScheduledKey(q), redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: id})
			},
			"pause": func(*rapid.T) {
				if m.paused = !m.paused; m.paused {
					rdb.Set(ctx, queue.PausedKey(q), 1, 0)
				} else {
					rdb.Del(ctx, queue.PausedKey(q))
				}
			},
			"take": func(rt *rapid.T) {
				outcome, id, dropped := m.take()
				got, err := queue.NewStore(rdb).Take(ctx, q, false)
				if err != nil {
					rt.Fatal(err)
				}
				want := queue.Taken{Found: queue.Found(outcome), ID: id, Dropped: dropped, Deliveries: m.count[id]}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(queue.Taken{}, "Left", "Now", "Message", "Token"), cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("(-want +got):\n%s", diff)
				}
				if outcome == "idle" && len(dropped) == 0 && len(m.later) > 0 && (got.Left < 50*time.Minute || got.Left > time.Hour) {
					rt.Fatalf("next task is due in %s, want an hour", got.Left)
				}
			},
			"": func(rt *rapid.T) {
				for _, id := range m.active {
					if state := rdb.HGet(ctx, queue.TaskKey(q, id), "state").Val(); state != "active" {
						rt.Fatalf("%s is %q, want active", id, state)
					}
				}
				active := rdb.LRange(ctx, queue.ActiveKey(q), 0, -1).Val()
				slices.Reverse(active)
				if diff := cmp.Diff(m.active, active, cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("active (-want +got):\n%s", diff)
				}
				if n := rdb.ZCard(ctx, queue.LeaseKey(q)).Val(); int(n) != len(m.active) {
					rt.Fatalf("%d leases for %d active tasks", n, len(m.active))
				}
				delayed := rdb.ZCard(ctx, queue.ScheduledKey(q)).Val() + rdb.ZCard(ctx, queue.RetryKey(q)).Val()
				if int(delayed) != len(m.delayed)+len(m.later) {
					rt.Fatalf("%d delayed tasks, want %d", delayed, len(m.delayed)+len(m.later))
				}
				pending := rdb.LRange(ctx, queue.PendingKey(q), 0, -1).Val()
				slices.Reverse(pending)
				if diff := cmp.Diff(m.pending, pending, cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("pending (-want +got):\n%s", diff)
				}
			},
		})
	})
}

// Here every task is run by itself; asynq would aggregate those of a group and needs a program for it.
func TestScriptDissolvesGroups(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	if _, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("a:b", nil), asynq.Group("g1"), asynq.TaskID("x")); err != nil {
		t.Fatal(err)
	}
	got, err := queue.NewStore(rdb).Take(t.Context(), queue.Default, false)
	if err != nil || got.ID != "x" {
		t.Errorf("%+v, %v, want the task", got, err)
	}
	if n := rdb.Exists(t.Context(), queue.Prefix(queue.Default)+"groups", queue.Prefix(queue.Default)+"g:g1").Val(); n != 0 {
		t.Error("the group is left")
	}
}

func TestScriptNotesSinceWhenATaskIsPending(t *testing.T) {
	t.Parallel()
	rdb, ctx := redistest.New(t), t.Context()
	m := message(queue.Default)
	enqueue(t, rdb, m, time.Now().Add(time.Hour))
	rdb.ZAdd(ctx, queue.ScheduledKey(queue.Default), redis.Z{Score: 1, Member: m.ID})
	rdb.Set(ctx, queue.PausedKey(queue.Default), 1, 0)
	if _, err := queue.NewStore(rdb).Take(ctx, queue.Default, false); err != nil {
		t.Fatal(err)
	}
	ns, err := rdb.HGet(ctx, queue.TaskKey(queue.Default, m.ID), "pending_since").Int64()
	if err != nil {
		t.Fatal(err)
	}
	if ago := time.Since(time.Unix(0, ns)); ago < -time.Second || ago > time.Minute {
		t.Errorf("pending since %s ago", ago)
	}
}

// A hundred ghosts are one script's share; a queue of them does not keep a worker from the task behind.
func TestManyGhosts(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	for range 1000 {
		other.LPush(t.Context(), queue.PendingKey(queue.Default), uuid.NewString())
	}
	m := message(queue.Default)
	enqueue(t, other, m, time.Time{})
	p := start(t, worker, nil, queue.Default)
	if d := p.wait(t, 1)[0]; d.ID != m.ID {
		t.Errorf("delivered %s, want %s", d.ID, m.ID)
	}
	if n := p.log.count("removed an id without a task"); n != 1000 {
		t.Errorf("%d lines about ghosts, want 1000", n)
	}
	eventually(t, "the end of the task", func() bool { return other.LLen(t.Context(), queue.ActiveKey(queue.Default)).Val() == 0 })
}
