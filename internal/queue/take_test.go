package queue_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// A leaseBench is a queue whose leases end, and whose looks happen, when the test says.
type leaseBench struct {
	*queue.Store
	t   *testing.T
	ctx context.Context
	rdb redis.UniversalClient
}

func newLeaseBench(t *testing.T) *leaseBench {
	t.Helper()
	rdb := redistest.New(t)
	return &leaseBench{queue.NewStore(rdb), t, t.Context(), rdb}
}

func (b *leaseBench) take() queue.Taken {
	b.t.Helper()
	taken, err := b.Take(b.ctx, queue.Default, false)
	if err != nil {
		b.t.Fatal(err)
	}
	return taken
}

// die lets the lease of a task end, and somebody look.
func (b *leaseBench) die(id string) {
	b.t.Helper()
	b.rdb.ZAdd(b.ctx, queue.LeaseKey(queue.Default), redis.Z{Score: 1, Member: id})
	b.look(time.Second)
}

// suspects enqueues so many tasks, whose workers die until each is a suspect.
func (b *leaseBench) suspects(n int) (ids []string) {
	b.t.Helper()
	for range n {
		m := message(queue.Default)
		enqueue(b.t, b.Store, m, time.Time{})
		ids = append(ids, m.ID)
	}
	for range queue.Suspect {
		for range ids {
			b.take()
		}
		for _, id := range ids {
			b.die(id)
		}
	}
	return ids
}

// look lets the next take look for what went wrong; the last look was so long ago.
func (b *leaseBench) look(ago time.Duration) {
	b.rdb.HSet(b.ctx, queue.LookKey(queue.Default), "at", time.Now().Add(-ago).UnixMilli())
}

func (b *leaseBench) settle(d queue.Taken, v queue.Verdict, fields ...any) bool {
	b.t.Helper()
	m, err := queue.DecodeMessage([]byte(d.Message))
	if err != nil {
		b.t.Fatal(err)
	}
	mine, err := b.Settle(b.ctx, queue.Settlement{
		Delivery: d.Delivery(), Queue: queue.Default, Verdict: v, Message: m, Fields: fields, Now: time.Now(), Counts: true,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return mine
}

func TestTasksOfADeadWorkerRunAgain(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m, behind := message(queue.Default), message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	enqueue(t, b.Store, behind, time.Time{})
	first := b.take()
	if again := b.take(); again.ID != behind.ID {
		t.Fatalf("%+v, want the task behind", again)
	}
	b.die(m.ID)
	second := b.take()
	if second.ID != m.ID || second.Deliveries != 2 || second.Crashes != 1 {
		t.Fatalf("%+v, want the first task in its second delivery", second)
	}
	if b.settle(first, queue.VerdictArchive) || b.settle(first, queue.VerdictRetry) || b.settle(first, queue.VerdictBack) {
		t.Error("a worker moved a task that is no longer its own")
	}
	if lost, err := b.Extend(b.ctx, queue.Default, []queue.Delivery{first.Delivery(), second.Delivery()}); err != nil || len(lost) != 1 {
		t.Errorf("lost %v, %v, want the first delivery alone", lost, err)
	}
	if !b.settle(second, queue.VerdictDone, queue.FieldResult, "{}") {
		t.Error("the worker that has the task could not settle it")
	}
	if rec, err := b.Find(b.ctx, m.ID); err != nil || rec.State != queue.Completed {
		t.Errorf("%+v, %v", rec, err)
	}
}

// What a worker has done is known, also if it says so too late.
func TestSuccessOfALostDeliveryIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	first := b.take()
	b.die(m.ID)
	b.rdb.Set(b.ctx, queue.PausedKey(queue.Default), 1, 0)
	b.take() // recovers it, and takes nothing
	b.rdb.Del(b.ctx, queue.PausedKey(queue.Default))
	if b.settle(first, queue.VerdictDone, queue.FieldResult, "the first") {
		t.Error("the task was still the first worker's")
	}
	second := b.take()
	if second.ID != m.ID || string(second.Result) != "the first" {
		t.Fatalf("%+v, want the task with the result", second)
	}
	if !b.settle(second, queue.VerdictDone) {
		t.Error("not settled")
	}
	if b.settle(second, queue.VerdictDone, queue.FieldResult, "again") {
		t.Error("settled twice")
	}
	if rec, _ := b.Find(b.ctx, m.ID); rec == nil || string(rec.Result) != "the first" {
		t.Errorf("%+v", rec)
	}
}

// After an outage of Redis all leases may be over, and all workers alive.
func TestAfterAnAbsenceLeasesMayBeRenewed(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	first := b.take()
	b.rdb.ZAdd(b.ctx, queue.LeaseKey(queue.Default), redis.Z{Score: 1, Member: m.ID})
	b.look(time.Minute)
	if taken := b.take(); taken.Found != queue.FoundIdle {
		t.Errorf("%+v, want nothing: its worker may be alive", taken)
	}
	if lost, err := b.Extend(b.ctx, queue.Default, []queue.Delivery{first.Delivery()}); err != nil || len(lost) > 0 {
		t.Errorf("lost %v, %v", lost, err)
	}
	b.rdb.HDel(b.ctx, queue.LookKey(queue.Default), "wait") // the time for that is over
	b.look(time.Second)
	if taken := b.take(); taken.Found != queue.FoundIdle {
		t.Errorf("%+v, want nothing: the lease was renewed", taken)
	}
}

func TestActiveTaskWithoutALeaseIsRecovered(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	b.take()
	b.rdb.Del(b.ctx, queue.LeaseKey(queue.Default))
	b.look(time.Second)
	b.take() // gives it a lease
	b.die(m.ID)
	if taken := b.take(); taken.ID != m.ID {
		t.Errorf("%+v, want the task", taken)
	}
}

// Of those that crashed again and again one runs at a time: an innocent one is not
// in hand when the guilty one kills the next worker.
func TestSuspectsRunAlone(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	b.suspects(3)
	suspect := b.take()
	if suspect.Crashes != queue.Suspect {
		t.Fatalf("%+v, want a suspect", suspect)
	}
	fresh := message(queue.Default)
	enqueue(t, b.Store, fresh, time.Time{})
	if taken := b.take(); taken.ID != fresh.ID {
		t.Errorf("%+v, want the task that never crashed", taken)
	}
	if taken := b.take(); taken.Found != queue.FoundIdle {
		t.Errorf("%+v, want nothing: one suspect is in hand", taken)
	}
	if !b.settle(suspect, queue.VerdictDone) {
		t.Fatal("not settled")
	}
	next := b.take()
	if next.Found != queue.FoundTask || next.ID == suspect.ID || next.Crashes != queue.Suspect {
		t.Errorf("%+v, want the next suspect", next)
	}
	b.die(next.ID)
	if again := b.take(); again.Found == queue.FoundTask && again.ID != next.ID && again.Crashes >= queue.Suspect+1 {
		t.Errorf("%+v: an innocent one crashed too", again)
	}
}

// A task that shared a worker with the poison must not wait until that is archived, five leases later.
func TestASuspectInDeadHandsKeepsNobodyBack(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	b.suspects(2)
	first := b.take()
	renewed := func(ago time.Duration) {
		till := time.Now().Add(queue.LeaseTime - ago)
		b.rdb.ZAdd(b.ctx, queue.LeaseKey(queue.Default), redis.Z{Score: float64(till.UnixMilli()) / 1000, Member: first.ID})
		b.look(time.Second)
	}
	renewed(9 * time.Second)
	if taken := b.take(); taken.Found != queue.FoundIdle {
		t.Errorf("%+v, want nothing: the worker of the suspect may live", taken)
	}
	renewed(14 * time.Second)
	if taken := b.take(); taken.Found != queue.FoundTask || taken.ID == first.ID {
		t.Errorf("%+v, want the other one: nobody renews the lease of the first", taken)
	}
}

// Suspects go on one after the other: in the step in which the one before them is settled, before a backlog, and in the order in which
// they were sent away.
func TestTheNextSuspectGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	ids := b.suspects(32)
	running := b.take()
	backlog := message(queue.Default)
	enqueue(t, b.Store, backlog, time.Time{})
	if taken := b.take(); taken.ID != backlog.ID { // and all others are sent away
		t.Fatalf("%+v, want the task that never crashed", taken)
	}
	for range 100 {
		enqueue(t, b.Store, message(queue.Default), time.Time{})
	}
	waiting := b.rdb.ZRange(b.ctx, queue.SuspectsKey(queue.Default), 0, -1).Val()
	if len(waiting) != len(ids)-1 {
		t.Fatalf("%d suspects wait, want %d", len(waiting), len(ids)-1)
	}
	seen := map[string]bool{running.ID: true}
	verdicts := []queue.Verdict{queue.VerdictDone, queue.VerdictRetry, queue.VerdictArchive}
	for len(seen) < len(ids) {
		verdict := verdicts[len(seen)%len(verdicts)]
		if !b.settle(running, verdict) {
			t.Fatal("not settled")
		}
		if next := b.rdb.LIndex(b.ctx, queue.PendingKey(queue.Default), -1).Val(); seen[next] || !slices.Contains(ids, next) {
			t.Fatalf("after %q the next task is %s, want the next suspect", verdict, next)
		}
		b.look(time.Second) // calls no other one as long as this one is not taken
		left := b.rdb.ZRange(b.ctx, queue.SuspectsKey(queue.Default), 0, -1).Val()
		if want := waiting[len(seen):]; !slices.Equal(left, want) {
			t.Errorf("%v still wait, want %v", left, want)
		}
		if running = b.take(); running.Crashes != queue.Suspect || seen[running.ID] {
			t.Fatalf("%+v, want the next suspect: %d of %d went on", running, len(seen), len(ids))
		}
		seen[running.ID] = true
	}
	b.settle(running, queue.VerdictDone)
	if n := b.rdb.Exists(b.ctx, queue.SuspectKey(queue.Default), queue.SuspectsKey(queue.Default)).Val(); n != 0 {
		t.Error("something is left of the suspects")
	}
}

// Whoever settles the suspect that runs calls the next one that is still there. What is left of others goes.
func TestSuspectsThatSomebodyTookAwayArePassedOver(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	ids := b.suspects(5)
	running := b.take()
	if taken := b.take(); taken.Found != queue.FoundIdle {
		t.Fatalf("%+v, want nothing: one suspect is in hand", taken)
	}
	waiting := b.rdb.ZRange(b.ctx, queue.SuspectsKey(queue.Default), 0, -1).Val()
	if len(waiting) != len(ids)-1 {
		t.Fatalf("%v wait", waiting)
	}
	if _, err := b.Remove(b.ctx, waiting[0], queue.Retry); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Archive(b.ctx, queue.Default, waiting[1:2]); err != nil {
		t.Fatal(err)
	}
	again := message(queue.Default) // an id that is used again, and waits for a retry that has nothing to do with this
	again.ID = waiting[0]
	enqueue(t, b.Store, again, time.Time{})
	if taken := b.take(); taken.ID != again.ID || !b.settle(taken, queue.VerdictRetry) {
		t.Fatalf("%+v", taken)
	}
	b.settle(running, queue.VerdictDone)
	if taken := b.take(); taken.ID != waiting[2] {
		t.Errorf("%+v, want the first of those that still wait", taken)
	}
	if _, err := b.Remove(b.ctx, waiting[3], queue.Retry); err != nil {
		t.Fatal(err)
	}
	b.rdb.Del(b.ctx, queue.SuspectKey(queue.Default))
	b.look(time.Second)
	b.take()
	if n := b.rdb.Exists(b.ctx, queue.SuspectsKey(queue.Default)).Val(); n != 0 {
		t.Error("somebody is still noted who does not wait any more")
	}
}

// Should the note of it be lost, a suspect comes by itself, to where it was: the front.
func TestASuspectThatNobodyCallsComesByItself(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	ids := b.suspects(2)
	running := b.take()
	b.take()
	b.rdb.Del(b.ctx, queue.SuspectsKey(queue.Default))
	b.settle(running, queue.VerdictDone)
	other := ids[0]
	if other == running.ID {
		other = ids[1]
	}
	if rec, err := b.Find(b.ctx, other); err != nil || rec.State != queue.Retry || time.Until(rec.NextProcessAt) > 2*time.Minute {
		t.Fatalf("%+v, %v, want it to be due soon", rec, err)
	}
	enqueue(t, b.Store, message(queue.Default), time.Time{})
	b.rdb.ZAdd(b.ctx, queue.RetryKey(queue.Default), redis.Z{Score: 1, Member: other})
	if taken := b.take(); taken.ID != other {
		t.Errorf("%+v, want the suspect before the backlog", taken)
	}
}

// An innocent task that waits for its permit in worker after worker must not end as the one that killed them.
func TestAWaitForAPermitIsNoCrash(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	id := b.suspects(1)[0]
	waits := func(d queue.Taken, waits bool) {
		t.Helper()
		if err := b.Waits(b.ctx, queue.Default, d.Delivery(), waits); err != nil {
			t.Fatal(err)
		}
	}
	crashes := func(want int) queue.Taken {
		t.Helper()
		taken := b.take()
		if taken.ID != id || taken.Crashes != want {
			t.Fatalf("%+v, want %d crashes", taken, want)
		}
		return taken
	}
	first := crashes(queue.Suspect)
	waits(first, true)
	b.die(id)
	second := crashes(queue.Suspect)
	waits(first, true) // comes late
	b.die(id)
	third := crashes(queue.Suspect + 1) // which has not begun to wait
	b.die(id)
	waits(second, true)
	fourth := crashes(queue.Suspect + 2)
	waits(third, true)
	waits(fourth, true)
	waits(fourth, false)
	b.die(id)
	fifth := crashes(queue.Suspect + 3)
	waits(fifth, true)
	b.settle(fifth, queue.VerdictRetry)
	if b.rdb.HExists(b.ctx, queue.TaskKey(queue.Default, id), "waits").Val() {
		t.Error("it is noted still that it waits")
	}
	b.rdb.Del(b.ctx, queue.TaskKey(queue.Default, id))
	waits(fifth, true)
	if b.rdb.Exists(b.ctx, queue.TaskKey(queue.Default, id)).Val() != 0 {
		t.Error("a task that was deleted is there again")
	}
}

// An id may be used again: what a worker learned of the task that was deleted says nothing about the new one.
func TestADeletedTaskIsNotTheNextOfItsID(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	old := b.take()
	b.die(m.ID) // its worker stood still
	b.look(0)
	again := func() *queue.Message {
		if _, err := b.Remove(b.ctx, m.ID, queue.Pending); err != nil {
			t.Fatal(err)
		}
		next := message(queue.Default)
		next.ID = m.ID
		enqueue(t, b.Store, next, time.Time{})
		return next
	}
	b.look(time.Second)
	if b.rdb.Set(b.ctx, queue.PausedKey(queue.Default), 1, 0); b.take().Found != queue.FoundPaused { // recovers it
		t.Fatal("not paused")
	}
	b.rdb.Del(b.ctx, queue.PausedKey(queue.Default))
	next := again()
	late := queue.Settlement{
		Delivery: old.Delivery(), Queue: queue.Default, Verdict: queue.VerdictDone, Message: m, Fields: []any{queue.FieldResult, "{}"}, Now: time.Now(),
	}
	if mine, err := b.Settle(b.ctx, late); err != nil || mine {
		t.Errorf("%t, %v", mine, err)
	}
	taken := b.take()
	if taken.ID != next.ID || taken.Result != nil {
		t.Errorf("%+v, want the new task, of which nothing is done", taken)
	}
	late.Verdict = queue.VerdictRetry
	if mine, err := b.Settle(b.ctx, late); err != nil || mine {
		t.Errorf("%t, %v: the delivery of the deleted task is the new one's", mine, err)
	}
	if lost, err := b.Extend(b.ctx, queue.Default, []queue.Delivery{old.Delivery()}); err != nil || len(lost) != 1 {
		t.Errorf("%v, %v", lost, err)
	}
}

// Workers that are busy for long, or kept away, look after the queue all the same.
func TestALookRecoversAndTakesNothing(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	b.take()
	b.die(m.ID)
	if found, err := b.Look(b.ctx, queue.Default); err != nil || found.Found != queue.FoundIdle {
		t.Errorf("%+v, %v", found, err)
	}
	if rec, err := b.Find(b.ctx, m.ID); err != nil || rec.State != queue.Pending {
		t.Errorf("%+v, %v, want it to be pending again", rec, err)
	}
}

func TestASettledTaskIsNoSuspect(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	for crashes := range 4 {
		taken := b.take()
		if taken.Crashes != crashes {
			t.Fatalf("%+v, want %d crashes", taken, crashes)
		}
		b.die(m.ID)
	}
	b.settle(b.take(), queue.VerdictBack)
	if taken := b.take(); taken.Crashes != 0 {
		t.Errorf("%+v, want no crash counted any more", taken)
	}
	if n := b.rdb.Exists(b.ctx, queue.SuspectKey(queue.Default)).Val(); n != 0 {
		t.Error("it is still noted as a suspect")
	}
}

// A replica that takes over may have a clock that is behind.
func TestClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m := message(queue.Default)
	enqueue(t, b.Store, m, time.Time{})
	b.take()
	b.rdb.ZAdd(b.ctx, queue.LeaseKey(queue.Default), redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: m.ID})
	b.look(-time.Hour)
	b.take()
	if till := b.rdb.ZScore(b.ctx, queue.LeaseKey(queue.Default), m.ID).Val(); till > float64(time.Now().Add(queue.LeaseTime).Unix())+1 {
		t.Errorf("the lease of a worker that is gone lasts %v", time.Until(time.Unix(int64(till), 0)))
	}
	if at := b.rdb.HGet(b.ctx, queue.LookKey(queue.Default), "at").Val(); at > strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10) {
		t.Error("nobody looks for an hour")
	}
}

// A thousand lanes and more are looked at before they have waited for long, also where workers are idle.
func TestAllLanesAreLookedAtInTime(t *testing.T) {
	t.Parallel()
	if !redistest.Real() {
		t.Skip("the embedded Redis scans everything at once; runs where " + redistest.EnvAddr + " is set")
	}
	b := newLeaseBench(t)
	const lanes = 4000
	heads := make([]string, 0, lanes)
	for range 4 {
		entries := make([]queue.Entry, 0, lanes/2)
		for range lanes / 4 {
			head, next, lane := message(queue.Default), message(queue.Default), uuid.NewString()
			entries = append(entries, queue.Entry{Message: head, Lane: lane}, queue.Entry{Message: next, Lane: lane})
			heads = append(heads, head.ID)
		}
		if _, err := b.Enqueue(b.ctx, entries); err != nil {
			t.Fatal(err)
		}
	}
	// Somebody deletes everything that is pending, and its worker looks every four seconds.
	pipe := b.rdb.Pipeline()
	pipe.Del(b.ctx, queue.PendingKey(queue.Default))
	for _, id := range heads {
		pipe.Del(b.ctx, queue.TaskKey(queue.Default, id))
	}
	if _, err := pipe.Exec(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.rdb.Set(b.ctx, queue.PausedKey(queue.Default), 1, 0)
	for range 3 {
		b.look(4 * time.Second)
		b.take()
	}
	if n := b.rdb.LLen(b.ctx, queue.PendingKey(queue.Default)).Val(); n != lanes {
		t.Errorf("%d of %d lanes go on after twelve seconds", n, lanes)
	}
}

// manyLanes makes lanes whose heads wait for a retry, but for one in a thousand: somebody has deleted its head, and the next one waits. It
// returns how many those are.
func (b *leaseBench) manyLanes(n int) (stand int) {
	b.t.Helper()
	later := time.Now().Add(time.Hour).Unix()
	for first := 0; first < n; first += 10_000 {
		pipe := b.rdb.Pipeline()
		for i := first; i < min(first+10_000, n); i++ {
			id, lane := uuid.NewString(), strconv.Itoa(i)
			pipe.HSet(b.ctx, queue.HeadsKey(queue.Default), lane, id)
			if i%1000 != 999 {
				pipe.HSet(b.ctx, queue.TaskKey(queue.Default, id), "msg", "x", "state", "retry", "lane", lane)
				pipe.ZAdd(b.ctx, queue.RetryKey(queue.Default), redis.Z{Score: float64(later), Member: id})
				continue
			}
			next := uuid.NewString()
			pipe.HSet(b.ctx, queue.TaskKey(queue.Default, next), "msg", "x", "state", "scheduled", "lane", lane, "seat", "1")
			pipe.ZAdd(b.ctx, queue.ScheduledKey(queue.Default), redis.Z{Score: 4102444800, Member: next})
			pipe.RPush(b.ctx, queue.LaneKey(queue.Default, lane), next+":1")
			stand++
		}
		if _, err := pipe.Exec(b.ctx); err != nil {
			b.t.Fatal(err)
		}
	}
	return stand
}

// An idle worker looks as often as it takes to see many lanes in time, and no more often than it does anyway where there are few.
func TestAnIdleWorkerSeesAllLanesInTime(t *testing.T) {
	t.Parallel()
	if !redistest.Real() {
		t.Skip("the embedded Redis scans everything at once; runs where " + redistest.EnvAddr + " is set")
	}
	for _, tc := range []struct {
		lanes int
		least time.Duration // between two looks
	}{
		{5_000, idleLook}, {12_000, idleLook}, {25_000, 1500 * time.Millisecond}, {100_000, 500 * time.Millisecond},
	} {
		t.Run(strconv.Itoa(tc.lanes), func(t *testing.T) {
			t.Parallel()
			b := newLeaseBench(t)
			want := b.manyLanes(tc.lanes)
			wait, took := idleLook, time.Duration(0)
			for {
				took += wait
				b.look(wait)
				found, err := b.Look(b.ctx, queue.Default)
				if err != nil || found.Found != queue.FoundIdle {
					t.Fatalf("%+v, %v", found, err)
				}
				if n := b.rdb.LLen(b.ctx, queue.PendingKey(queue.Default)).Val(); int(n) == want {
					break
				}
				if wait = idleLook; found.Left >= 0 {
					wait = min(wait, found.Left)
				}
				if wait < tc.least || took > 15*time.Second {
					t.Fatalf("%s until the next look, after %s", wait, took)
				}
			}
			if took > 10*time.Second+idleLook { // that of before the first look
				t.Errorf("all lanes go on after %s", took)
			}
		})
	}
}

// idleLook is about how often a worker looks that waits for a push.
const idleLook = 3200 * time.Millisecond

// The walk through the dead letters begins anew where there are fewer of them than it has seen.
func TestDeadLettersAreWalkedThroughAgain(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	b.rdb.HSet(b.ctx, queue.LookKey(queue.Default), "dead", 400)
	gone, byHand := message(queue.Default), message(queue.Default)
	b.rdb.ZAdd(b.ctx, queue.DeadKey(queue.Default), redis.Z{Score: 1, Member: gone.ID})
	b.rdb.HSet(b.ctx, queue.TaskKey(queue.Default, byHand.ID), "msg", byHand.Encode(), "state", "archived")
	b.rdb.ZAdd(b.ctx, queue.ArchivedKey(queue.Default), redis.Z{Score: 1, Member: byHand.ID})
	for range 3 {
		b.look(time.Second)
		b.take()
	}
	if noted := b.rdb.ZRange(b.ctx, queue.DeadKey(queue.Default), 0, -1).Val(); len(noted) != 1 || noted[0] != byHand.ID {
		t.Errorf("%v are noted, want %s", noted, byHand.ID)
	}
}

// A lane goes on also where only a leftover of its head is there.
func TestLeftoverOfAHeadLeavesItsLane(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	head, next := message(queue.Default), message(queue.Default)
	if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: head, Lane: "a"}, {Message: next, Lane: "a"}}); err != nil {
		t.Fatal(err)
	}
	b.settle(b.take(), queue.VerdictRetry)
	b.rdb.HDel(b.ctx, queue.TaskKey(queue.Default, head.ID), "msg")
	b.rdb.ZAdd(b.ctx, queue.RetryKey(queue.Default), redis.Z{Score: 1, Member: head.ID})
	b.take()
	b.look(time.Second)
	if taken := b.take(); taken.ID != next.ID {
		t.Errorf("%+v, want the next of the lane", taken)
	}
}

// "Hello" and "how are you?", both at nine o'clock.
func TestTasksOfOneSecondJoinInTheirOrder(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	var want []string
	entries := make([]queue.Entry, 250)
	at := time.Now().Add(2 * time.Second)
	for i := range entries {
		entries[i] = queue.Entry{Message: message(queue.Default), Lane: "a", ProcessAt: at}
		want = append(want, entries[i].Message.ID)
	}
	if _, err := b.Enqueue(b.ctx, entries); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Remove(b.ctx, want[7], queue.Scheduled); err != nil {
		t.Fatal(err)
	}
	want = slices.Delete(want, 7, 8)
	var got []string
	eventually(t, "the last task", func() bool {
		for taken := b.take(); taken.Found == queue.FoundTask; taken = b.take() {
			got = append(got, taken.ID)
			b.settle(taken, queue.VerdictDone)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		t.Errorf("they were taken in the order\n%v, want\n%v", got, want)
	}
	if keys := b.rdb.Keys(b.ctx, "layerq:{default}:later*").Val(); len(keys) > 0 {
		t.Errorf("%v are left", keys)
	}
}

// A task that is due has joined its lane, whether or not a worker has looked since.
func TestTaskIsEnqueuedBehindThoseThatAreDue(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	at := time.Now().Add(time.Second)
	var want []string
	entries := make([]queue.Entry, 1200) // more than one script puts into its lane
	for i := range entries {
		entries[i] = queue.Entry{Message: message(queue.Default), Lane: "a", ProcessAt: at}
		want = append(want, entries[i].Message.ID)
	}
	if _, err := b.Enqueue(b.ctx, entries); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second at which they are due", func() bool { return time.Now().After(queue.NextSecond(at)) })
	for range 3 {
		m := message(queue.Default)
		if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: m, Lane: "a"}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, m.ID)
	}
	var got []string
	eventually(t, "the last task", func() bool {
		for taken := b.take(); taken.Found == queue.FoundTask; taken = b.take() {
			got = append(got, taken.ID)
			b.settle(taken, queue.VerdictDone)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		t.Errorf("they were taken in the order\n%v, want\n%v", got, want)
	}
}

// A Redis that was frozen carries out what has piled up: nobody waits for these tasks.
func TestATakeThatComesTooLateTakesNothing(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	b.take() // learns Redis' clock
	enqueue(t, b.Store, message(queue.Default), time.Time{})
	late, cancel := context.WithDeadline(context.WithoutCancel(b.ctx), time.Now().Add(-time.Second))
	cancel()
	// The client would not send it: what is sent is looked at on its way.
	sent := make(chan []any, 1)
	store := queue.NewStore(watching(b.t, sent))
	if _, err := store.Take(b.ctx, queue.Default, false); err != nil { // and takes the task
		t.Fatal(err)
	}
	<-sent
	if _, err := store.Take(late, queue.Default, false); err == nil {
		t.Fatal("a context that is over was no error")
	}
	enqueue(t, b.Store, message(queue.Default), time.Time{})
	args := <-sent
	reply, err := b.rdb.Do(b.ctx, args...).Slice()
	if err != nil || reply[0] != "idle" {
		t.Errorf("%v, %v, want nothing taken", reply, err)
	}
	if n := b.rdb.LLen(b.ctx, queue.PendingKey(queue.Default)).Val(); n != 1 {
		t.Errorf("%d tasks are pending, want 1", n)
	}
}

// watching returns a client that shows each EVALSHA on its way to Redis.
func watching(t *testing.T, sent chan<- []any) redis.UniversalClient {
	t.Helper()
	rdb := redistest.New(t)
	rdb.AddHook(watch{sent})
	return rdb
}

type watch struct{ sent chan<- []any }

func (watch) DialHook(next redis.DialHook) redis.DialHook { return next }

func (w watch) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			w.sent <- cmd.Args()
		}
		return next(ctx, cmd)
	}
}

func (watch) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A probe that is to be any task takes the oldest only by chance, each one once, and although the queue is held.
func TestTakeAny(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	const tasks = 60
	var ids, taken []string
	for range tasks {
		m := message(queue.Default)
		enqueue(t, b.Store, m, time.Time{})
		ids = append(ids, m.ID)
	}
	if err := b.Hold(b.ctx, queue.Names, queue.Hold{Reason: "x"}, time.Minute, 1); err != nil {
		t.Fatal(err)
	}
	if got := b.take(); got.Found != queue.FoundHeld {
		t.Fatalf("found %+v", got)
	}
	for range tasks {
		got, err := b.TakeAny(b.ctx, queue.Default)
		if err != nil || got.Found != queue.FoundTask {
			t.Fatalf("%+v, %v", got, err)
		}
		taken = append(taken, got.ID)
		<-time.After(time.Millisecond) // chance is Redis' clock
	}
	if slices.Equal(ids, taken) {
		t.Error("it is the one that waits longest, again and again")
	}
	slices.Sort(ids)
	slices.Sort(taken)
	if !slices.Equal(ids, taken) {
		t.Errorf("of %d tasks it took\n%v", tasks, taken)
	}
	if got, err := b.TakeAny(b.ctx, queue.Default); err != nil || got.Found != queue.FoundIdle {
		t.Errorf("%+v, %v", got, err)
	}
}
