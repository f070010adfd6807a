package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// A world is one queue with lanes in Redis, and beside it what must be true of
// it: each lane as the list of the tasks that joined and have not left.
type world struct {
	*queue.Store
	ctx  context.Context
	rdb  redis.UniversalClient
	insp *asynq.Inspector

	lanes   map[string][]string // in the order of joining
	laneOf  map[string]string
	stops   map[string]bool     // archived, it stops its lane
	blocks  map[string]bool     // archived, and does
	later   map[string]int      // enqueued with a delay that is not over: which enqueue it was
	active  map[string]string   // its token
	retries map[string]bool     // between two attempts
	byHand  []string            // enqueued with a delay and run by hand: they join when they are first taken
	n       int                 // tasks
	nth     int                 // enqueue
	history map[string][]string // per lane: what was executed to its end, in order
	deleted []string            // by hand, or cancelled: their ids may be enqueued again
}

const q = queue.Default

func newWorld(t *testing.T) *world {
	t.Helper()
	rdb := redistest.New(t)
	return &world{Store: queue.NewStore(rdb), ctx: t.Context(), rdb: rdb, insp: asynq.NewInspectorFromRedisClient(rdb)}
}

func (w *world) reset() {
	w.rdb.FlushDB(w.ctx)
	w.rdb.SAdd(w.ctx, queue.AllQueuesKey, q) // else asynq's Inspector knows no queue, and does nothing by hand
	w.lanes, w.laneOf, w.history = map[string][]string{}, map[string]string{}, map[string][]string{}
	w.stops, w.blocks, w.later, w.retries = map[string]bool{}, map[string]bool{}, map[string]int{}, map[string]bool{}
	w.active, w.byHand, w.deleted = map[string]string{}, nil, nil
	w.n = 0
}

func (w *world) enqueue(rt *rapid.T, lane string, stop, delayed bool) {
	w.n++
	w.enqueueAs(rt, fmt.Sprintf("00000000-0000-4000-8000-%012d", w.n), lane, stop, delayed)
}

func (w *world) enqueueAs(rt *rapid.T, id, lane string, stop, delayed bool) {
	m := message(q)
	m.ID = id
	e := queue.Entry{Message: m, Lane: lane, StopLane: stop}
	if delayed {
		e.ProcessAt = time.Now().Add(time.Hour)
	}
	answers, err := w.Enqueue(w.ctx, []queue.Entry{e})
	if err != nil || answers[0].Existing != nil {
		rt.Fatalf("%+v, %v", answers, err)
	}
	w.laneOf[m.ID], w.stops[m.ID] = lane, stop
	if delayed {
		w.nth++
		w.later[m.ID] = w.nth
		return
	}
	w.lanes[lane] = append(w.lanes[lane], m.ID)
	if want := len(w.lanes[lane]) > 1; answers[0].Waits != want {
		rt.Fatalf("%s in lane %v: waits %t, want %t", m.ID, w.lanes[lane], answers[0].Waits, want)
	}
}

// take takes a task and checks that its turn had come.
func (w *world) take(rt *rapid.T) {
	got, err := w.Take(w.ctx, q, false)
	if err != nil {
		rt.Fatal(err)
	}
	w.byHand = slices.DeleteFunc(w.byHand, func(id string) bool {
		rec, err := w.Find(w.ctx, id)
		if err == nil && rec.State == queue.Waiting { // it was put back behind others
			w.lanes[w.laneOf[id]] = append(w.lanes[w.laneOf[id]], id)
		}
		return err != nil || rec.State != queue.Pending
	})
	if got.Found != queue.FoundTask {
		return
	}
	lane := w.laneOf[got.ID]
	if got.Lane != lane {
		rt.Fatalf("%s is of lane %q, want %q", got.ID, got.Lane, lane)
	}
	if !slices.Contains(w.lanes[lane], got.ID) { // it was run again out of the archive
		w.lanes[lane] = append(w.lanes[lane], got.ID)
	}
	if w.lanes[lane][0] != got.ID {
		rt.Fatalf("%s was taken before its turn in %v", got.ID, w.lanes[lane])
	}
	delete(w.blocks, got.ID)
	delete(w.retries, got.ID)
	w.active[got.ID] = got.Token
}

func (w *world) settle(rt *rapid.T, id string, v queue.Verdict) {
	m := message(q)
	m.ID = id
	mine, err := w.Settle(w.ctx, queue.Settlement{
		Delivery: queue.Delivery{ID: id, Token: w.active[id]}, Queue: q, Verdict: v, Message: m, Now: time.Now(), Counts: true,
	})
	if err != nil || !mine {
		rt.Fatalf("settle %s: %t, %v", id, mine, err)
	}
	delete(w.active, id)
	switch {
	case v == queue.VerdictRetry:
		w.retries[id] = true
	case v == queue.VerdictArchive && w.stops[id]:
		w.blocks[id] = true
	case v != queue.VerdictBack:
		w.leave(id)
		w.wantNext(rt, w.laneOf[id])
	}
}

// wantNext checks that the next task of a lane runs at once, without anybody's look.
func (w *world) wantNext(rt *rapid.T, lane string) {
	if len(w.lanes[lane]) == 0 {
		return
	}
	next := w.lanes[lane][0]
	if rec, err := w.Find(w.ctx, next); err != nil || rec.State == queue.Waiting {
		rt.Fatalf("the next of lane %v is %+v, %v", w.lanes[lane], rec, err)
	}
}

func (w *world) leave(id string) {
	lane := w.laneOf[id]
	w.history[lane] = append(w.history[lane], id)
	w.lanes[lane] = slices.DeleteFunc(w.lanes[lane], func(other string) bool { return other == id })
}

// pass lets the time of everything that is scheduled or between two attempts come.
func (w *world) pass() {
	ids := slices.SortedFunc(maps.Keys(w.later), func(a, b string) int { return w.later[a] - w.later[b] })
	for _, id := range ids {
		lane := w.laneOf[id]
		w.rdb.ZAdd(w.ctx, queue.ScheduledKey(q), redis.Z{Score: 1, Member: id})
		seat := w.rdb.HGet(w.ctx, queue.TaskKey(q, id), "seat").Val()
		w.rdb.ZAddXX(w.ctx, queue.LaterKey(q, lane), redis.Z{Score: 1, Member: seat + ":" + id})
		w.lanes[lane] = append(w.lanes[lane], id)
	}
	for id := range w.retries {
		w.rdb.ZAddXX(w.ctx, queue.RetryKey(q), redis.Z{Score: 1, Member: id}) // a second may have passed meanwhile
	}
	clear(w.later)
	clear(w.retries)
}

// due makes all of that run, or wait.
func (w *world) due() {
	w.pass()
	w.rdb.Set(w.ctx, queue.PausedKey(q), 1, 0) // forwards, and takes nothing
	_, _ = w.Take(w.ctx, q, false)
	w.rdb.Del(w.ctx, queue.PausedKey(q))
}

// sweep lets the look at the lanes happen now, as it does by itself after some seconds.
func (w *world) sweep() {
	w.rdb.Del(w.ctx, queue.LookKey(q))
	w.rdb.Set(w.ctx, queue.PausedKey(q), 1, 0)
	_, _ = w.Take(w.ctx, q, false)
	w.rdb.Del(w.ctx, queue.PausedKey(q))
}

// runnable are the heads that nothing holds up.
func (w *world) runnable() []string {
	var heads []string
	for _, ids := range w.lanes {
		if len(ids) > 0 && !w.blocks[ids[0]] && !w.retries[ids[0]] {
			if _, active := w.active[ids[0]]; !active {
				heads = append(heads, ids[0])
			}
		}
	}
	slices.Sort(heads)
	return heads
}

// The law of lanes, on random schedules: a task is taken when all that joined its
// lane before it have left, and once a lane was looked at, its head runs.
func TestLanesKeepOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pick := func(rt *rapid.T, ids []string) string {
		if len(ids) == 0 {
			rt.Skip("there is none")
		}
		slices.Sort(ids)
		return rapid.SampledFrom(ids).Draw(rt, "task")
	}
	keys := func(m map[string]string) (ids []string) {
		for id := range m {
			ids = append(ids, id)
		}
		return ids
	}
	rapid.Check(t, func(rt *rapid.T) {
		w.reset()
		settle := func(v queue.Verdict) func(*rapid.T) {
			return func(rt *rapid.T) { w.settle(rt, pick(rt, keys(w.active)), v) }
		}
		idle := func() (ids []string) { // neither active nor done
			for id, lane := range w.laneOf {
				if _, active := w.active[id]; !active && (slices.Contains(w.lanes[lane], id) || w.later[id] > 0) {
					ids = append(ids, id)
				}
			}
			return ids
		}
		byHand := func(does func(id string) error, then func(id string)) func(*rapid.T) {
			return func(rt *rapid.T) {
				id := pick(rt, idle())
				if err := does(id); errors.Is(err, asynq.ErrQueueNotFound) {
					rt.Fatal(err)
				} else if err != nil {
					return // it is in a state in which that is not possible
				}
				then(id)
				w.sweep()
			}
		}
		deleted := func(gone func(string)) func(string) {
			return func(id string) { gone(id); w.deleted = append(w.deleted, id) }
		}
		gone := func(id string) {
			lane := w.laneOf[id]
			w.lanes[lane] = slices.DeleteFunc(w.lanes[lane], func(other string) bool { return other == id })
			delete(w.later, id)
			delete(w.retries, id)
			delete(w.blocks, id)
		}
		blocked := func() (ids []string) { return slices.Collect(maps.Keys(w.blocks)) }
		rt.Repeat(map[string]func(*rapid.T){
			"replay": func(rt *rapid.T) {
				id := pick(rt, blocked())
				if done, err := w.Replay(w.ctx, q, []string{id, id}); err != nil || !slices.Equal(done, []bool{true, false}) {
					rt.Fatalf("replay: %v, %v", done, err)
				}
				delete(w.blocks, id)
				if w.lanes[w.laneOf[id]][0] != id { // archived by hand before its turn came: it goes behind the others
					gone(id)
					w.lanes[w.laneOf[id]] = append(w.lanes[w.laneOf[id]], id)
				}
			},
			"cancel": func(rt *rapid.T) {
				id := pick(rt, idle())
				state, err := w.Remove(w.ctx, id, queue.Pending, queue.Waiting, queue.Scheduled, queue.Retry, queue.Archived)
				if err != nil || state == queue.Active {
					rt.Fatalf("remove %s: %s, %v", id, state, err)
				}
				lane := w.laneOf[id]
				deleted(gone)(id)
				if len(w.lanes[lane]) > 0 && !w.blocks[w.lanes[lane][0]] {
					w.wantNext(rt, lane)
				}
			},
			"enqueue": func(rt *rapid.T) { // several: else few wait
				for range rapid.IntRange(1, 5).Draw(rt, "tasks") {
					w.enqueue(rt, rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "lane"), rapid.Bool().Draw(rt, "stop"), rapid.IntRange(0, 4).Draw(rt, "delay") == 0)
				}
			},
			"enqueue a deleted one again": func(rt *rapid.T) { // it goes to the end, whatever is left of it
				id := pick(rt, w.deleted)
				w.deleted = slices.DeleteFunc(w.deleted, func(other string) bool { return other == id })
				w.enqueueAs(rt, id, rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "lane"), rapid.Bool().Draw(rt, "stop"), rapid.IntRange(0, 4).Draw(rt, "delay") == 0)
			},
			"take":    w.take,
			"done":    settle(queue.VerdictDone),
			"archive": settle(queue.VerdictArchive),
			"retry":   settle(queue.VerdictRetry),
			"back":    settle(queue.VerdictBack),
			"due":     func(*rapid.T) { w.due() },
			"enqueue behind those that are due": func(rt *rapid.T) { // no worker has looked since
				w.pass()
				w.enqueue(rt, rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "lane"), false, false)
				w.due()
			},
			"crash": func(rt *rapid.T) {
				id := pick(rt, keys(w.active))
				w.rdb.ZAdd(w.ctx, queue.LeaseKey(q), redis.Z{Score: 1, Member: id})
				w.sweep()
				delete(w.active, id)
				w.rdb.HDel(w.ctx, queue.TaskKey(q, id), "crashes") // crashes have a test of their own
			},
			"delete by hand": byHand(func(id string) error { return w.insp.DeleteTask(q, id) }, deleted(gone)),
			"archive by hand": byHand(func(id string) error { return w.insp.ArchiveTask(q, id) }, func(id string) {
				if w.stops[id] && w.later[id] == 0 && slices.Contains(w.lanes[w.laneOf[id]], id) {
					w.blocks[id] = true
					delete(w.retries, id)
					return
				}
				gone(id)
			}),
			"run by hand": byHand(func(id string) error { return w.insp.RunTask(q, id) }, func(id string) {
				delete(w.retries, id)
				if w.later[id] > 0 {
					w.byHand = append(w.byHand, id)
				}
				delete(w.later, id)
				delete(w.blocks, id)
			}),
			"": func(rt *rapid.T) {
				for lane, want := range w.lanes {
					all := []string{w.rdb.HGet(w.ctx, queue.HeadsKey(q), lane).Val()}
					for _, place := range w.rdb.LRange(w.ctx, queue.LaneKey(q, lane), 0, -1).Val() {
						id, seat, _ := strings.Cut(place, ":")
						if w.laneOf[id] == lane && w.rdb.HGet(w.ctx, queue.TaskKey(q, id), "seat").Val() == seat {
							all = append(all, id)
						}
					}
					got := slices.DeleteFunc(all, func(id string) bool {
						return !slices.Contains(want, id) // gone by hand, and passed over when its turn comes
					})
					if !slices.Equal(got, want) {
						rt.Fatalf("lane %s is %v, want %v", lane, got, want)
					}
				}
			},
		})
		// In the end everything that nothing holds up is done, in order.
		for range 10 * w.n {
			w.due()
			w.sweep()
			w.take(rt)
			for _, id := range keys(w.active) {
				w.settle(rt, id, queue.VerdictDone)
			}
		}
		if left := w.runnable(); len(left) > 0 {
			rt.Fatalf("left: %v of lanes %v, blocked %v", left, w.lanes, w.blocks)
		}
	})
}

// What was deleted by hand and is enqueued again has lost its place.
func TestADeletedIDStandsAtTheEndOfItsLaneAgain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		which int
		delay time.Duration
		want  []int
	}{
		{"the head", 0, 0, []int{1, 2, 0}},
		{"one that waits", 1, 0, []int{0, 2, 1}},
		{"one that is due with others", 0, time.Second, []int{1, 2, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			entries := make([]queue.Entry, 3)
			for i := range entries {
				entries[i] = queue.Entry{Message: message(q), Lane: "a"}
				if tc.delay > 0 {
					entries[i].ProcessAt = time.Now().Add(tc.delay).Truncate(time.Second).Add(time.Second)
				}
			}
			if _, err := b.Enqueue(b.ctx, entries); err != nil {
				t.Fatal(err)
			}
			again := entries[tc.which]
			if err := asynq.NewInspectorFromRedisClient(b.rdb).DeleteTask(q, again.Message.ID); err != nil {
				t.Fatal(err)
			}
			if answers, err := b.Enqueue(b.ctx, []queue.Entry{again}); err != nil || answers[0].Existing != nil {
				t.Fatalf("%+v, %v", answers, err)
			}
			var want, got []string
			for _, i := range tc.want {
				want = append(want, entries[i].Message.ID)
			}
			eventually(t, "the last one", func() bool {
				got = append(got, workedOff(t, b.Store, "a")...)
				return len(got) == len(want)
			})
			if !slices.Equal(got, want) {
				t.Errorf("they ran in the order\n%v, want\n%v", got, want)
			}
			if n := b.rdb.Exists(b.ctx, queue.HeadsKey(q), queue.LaneKey(q, "a")).Val(); n != 0 {
				t.Error("the lane has left something behind")
			}
		})
	}
}

// Somebody deleted all but one of the tasks that wait in a lane. No script passes over all of them at once: Redis has others to serve.
func TestManyThatAreGoneArePassedOverInSteps(t *testing.T) {
	t.Parallel()
	const most = 1000 // that one script passes over
	gone := 10_000
	if redistest.Real() {
		gone = 100_000
	}
	b := newLeaseBench(t)
	line := queue.LaneKey(queue.Default, "a")
	head, next, later := message(queue.Default), message(queue.Default), message(queue.Default)
	join := func(m *queue.Message) {
		if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: m, Lane: "a"}}); err != nil {
			t.Fatal(err)
		}
	}
	left := func() int64 { return b.rdb.LLen(b.ctx, line).Val() }
	join(head)
	for n := 0; n < gone; n += most {
		ids := make([]any, most)
		for i := range ids {
			ids[i] = uuid.NewString()
		}
		b.rdb.RPush(b.ctx, line, ids...)
	}
	join(next)
	taken := b.take()
	if taken.ID != head.ID {
		t.Fatalf("%+v, want the head", taken)
	}
	before := left()
	passed := func(by string) {
		t.Helper()
		after := left()
		if before-after > most+1 {
			t.Fatalf("%s passed over %d", by, before-after)
		}
		before = after
	}
	if !b.settle(taken, queue.VerdictDone) {
		t.Fatal("not settled")
	}
	passed("the script that settles")
	join(later)
	before++ // it has joined
	passed("the script that enqueues")
	for range gone/most + 1 {
		taken = b.take()
		passed("the script that takes")
		if taken.Found == queue.FoundTask {
			break
		}
		if taken.Left != time.Millisecond {
			t.Fatalf("%+v, want to be asked again at once", taken)
		}
	}
	if taken.ID != next.ID {
		t.Fatalf("%+v, want the next of the lane", taken)
	}
	b.settle(taken, queue.VerdictDone)
	if taken = b.take(); taken.ID != later.ID {
		t.Errorf("%+v, want the last of the lane", taken)
	}
}
