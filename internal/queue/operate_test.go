package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// archive enqueues a task, takes it and gives it up.
func archive(t *testing.T, store *queue.Store, m *queue.Message) {
	t.Helper()
	enqueue(t, store, m, time.Time{})
	taken, err := store.Take(t.Context(), m.Queue, false)
	if err != nil || taken.ID != m.ID {
		t.Fatalf("%+v, %v", taken, err)
	}
	mine, err := store.Settle(t.Context(), queue.Settlement{
		Delivery: taken.Delivery(), Queue: m.Queue, Verdict: queue.VerdictArchive, Message: m,
		Fields: []any{queue.FieldFailures, 25, queue.FieldRetries, 25, queue.FieldAttempts, 30}, Now: time.Now(), Counts: true,
	})
	if err != nil || !mine {
		t.Fatalf("%t, %v", mine, err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	first, second := message(queue.Default), message(queue.Default)
	archive(t, store, first)
	archive(t, store, second)
	ids, err := archivedIDs(t.Context(), store, queue.Default, time.Time{}, time.Now().Add(time.Second))
	if err != nil || len(ids) != 2 {
		t.Fatalf("%v, %v", ids, err)
	}
	records, err := store.Records(t.Context(), queue.Default, append(ids, "unknown"))
	if err != nil || len(records) != 3 || records[0].State != queue.Archived || records[0].ArchivedAt.IsZero() || records[2] != nil {
		t.Fatalf("%+v, %v", records, err)
	}
	for i, want := range [][]bool{{true, false}, {false, false}} {
		got, err := store.Replay(t.Context(), queue.Default, []string{first.ID, "unknown"})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("replay %d: %v (-want +got):\n%s", i+1, err, diff)
		}
	}
	taken, err := store.Take(t.Context(), queue.Default, false)
	if err != nil || taken.ID != first.ID || taken.Failures != 0 || taken.Retries != 0 || taken.Attempts != 30 || taken.Deliveries != 2 {
		t.Errorf("%+v, %v", taken, err)
	}
	if n := rdb.ZCard(t.Context(), queue.DeadKey(queue.Default)).Val(); n != 1 {
		t.Errorf("%d dead letters are noted, want 1", n)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, ctx := queue.NewStore(rdb), t.Context()
	dead := message(queue.Bulk)
	archive(t, store, dead)
	later := message(queue.Critical)
	enqueue(t, store, later, time.Now().Add(time.Hour))
	head, waits := message(queue.Default), message(queue.Default)
	if _, err := store.Enqueue(ctx, []queue.Entry{{Message: head, Lane: "a"}, {Message: waits, Lane: "a"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id   string
		in   queue.State
		want queue.State
	}{
		{dead.ID, queue.Pending, queue.Archived},
		{dead.ID, queue.Archived, queue.Archived},
		{later.ID, queue.Waiting, queue.Scheduled},
		{later.ID, queue.Scheduled, queue.Scheduled},
		{waits.ID, queue.Waiting, queue.Waiting},
		{head.ID, queue.Pending, queue.Pending},
	} {
		if was, err := store.Remove(ctx, c.id, c.in); err != nil || was != c.want {
			t.Errorf("%s, %v, want %s", was, err, c.want)
		}
	}
	if _, err := store.Remove(ctx, head.ID, queue.Pending); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := store.Remove(ctx, head.ID, queue.Active); err == nil {
		t.Error("a task in a worker's hands may be removed")
	}
	for _, name := range queue.Names {
		keys := rdb.Keys(ctx, "layerq:{"+name+"}:lane*").Val()
		if len(keys) > 0 {
			t.Errorf("%v are left", keys)
		}
	}
}

// repeating sends everything twice, as a client does that lost the first answer; what happens in between is the test's.
type repeating func()

func (repeating) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r repeating) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		_ = next(ctx, cmd) // the answer that is lost
		r()
		return next(ctx, cmd)
	}
}

func (r repeating) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		_ = next(ctx, cmds)
		r()
		return next(ctx, cmds)
	}
}

func TestRemoveWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	m, next := message(queue.Bulk), message(queue.Bulk)
	if _, err := b.Enqueue(b.ctx, []queue.Entry{{Message: m, Lane: "a"}, {Message: next, Lane: "a"}}); err != nil {
		t.Fatal(err)
	}
	repeats := redistest.New(t)
	repeats.AddHook(repeating(func() { // by the time of the repeat it is another task
		if b.rdb.Exists(b.ctx, queue.TaskKey(queue.Bulk, m.ID)).Val() == 0 {
			enqueue(t, b.Store, m, time.Now().Add(time.Hour))
		}
	}))
	store := queue.NewStore(repeats)
	if was, err := store.Remove(b.ctx, m.ID, queue.Pending, queue.Scheduled); err != nil || was != queue.Pending {
		t.Errorf("%q, %v, want what it was the first time", was, err)
	}
	for id, want := range map[string]queue.State{m.ID: queue.Scheduled, next.ID: queue.Pending} {
		if r, err := b.Find(b.ctx, id); err != nil || r.State != want {
			t.Errorf("%+v, %v, want it %s", r, err, want)
		}
	}
	notes := b.rdb.Keys(b.ctx, "layerq:{bulk}:removed:*").Val()
	if len(notes) != 1 || b.rdb.TTL(b.ctx, notes[0]).Val() <= 0 {
		t.Errorf("%v, want one note that goes by itself", notes)
	}
	if _, err := store.Remove(b.ctx, "unknown", queue.Pending); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
}

func TestReplayWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	first, second := message(queue.Default), message(queue.Default)
	archive(t, b.Store, first)
	archive(t, b.Store, second)
	repeats := redistest.New(t)
	repeats.AddHook(repeating(func() {
		if taken := b.take(); taken.Found == queue.FoundTask { // it fails again before the repeat
			b.settle(taken, queue.VerdictArchive)
		}
	}))
	store := queue.NewStore(repeats)
	for _, tc := range []struct {
		ids  []string // one alone goes without a pipeline
		want []bool
	}{
		{[]string{first.ID}, []bool{true}},
		{[]string{second.ID, "unknown"}, []bool{true, false}},
	} {
		got, err := store.Replay(b.ctx, queue.Default, tc.ids)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if r, err := b.Find(b.ctx, tc.ids[0]); err != nil || r.State != queue.Archived {
			t.Errorf("%+v, %v, want it in the archive: it ran once", r, err)
		}
	}
}

// What asynq's Inspector and asynqmon trim away is put back, and what they put there is kept.
func TestDeadLettersStay(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, ctx := queue.NewStore(rdb), t.Context()
	look := func() {
		t.Helper()
		rdb.HDel(ctx, queue.LookKey(queue.Default), "at")
		if _, err := store.Take(ctx, queue.Default, false); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for range 5 {
		m := message(queue.Default)
		archive(t, store, m)
		ids = append(ids, m.ID)
	}
	rdb.ZRem(ctx, queue.ArchivedKey(queue.Default), ids[0], ids[1]) // as their scripts trim: the hashes stay
	look()
	if n := rdb.ZCard(ctx, queue.ArchivedKey(queue.Default)).Val(); n != 5 {
		t.Errorf("%d dead letters, want 5", n)
	}
	byHand := message(queue.Default)
	rdb.HSet(ctx, queue.TaskKey(queue.Default, byHand.ID), "msg", byHand.Encode(), "state", "archived")
	rdb.ZAdd(ctx, queue.ArchivedKey(queue.Default), redis.Z{Score: 1, Member: byHand.ID})
	look()
	rdb.ZRem(ctx, queue.ArchivedKey(queue.Default), byHand.ID)
	look()
	if err := rdb.ZScore(ctx, queue.ArchivedKey(queue.Default), byHand.ID).Err(); err != nil {
		t.Errorf("what was archived by hand is trimmed: %v", err)
	}
	if _, err := store.Remove(ctx, ids[2], queue.Archived); err != nil {
		t.Fatal(err)
	}
	rdb.Del(ctx, queue.TaskKey(queue.Default, ids[3]))
	rdb.ZRem(ctx, queue.ArchivedKey(queue.Default), ids[3]) // deleted in asynqmon
	look()
	if n := rdb.ZCard(ctx, queue.DeadKey(queue.Default)).Val(); n != 4 {
		t.Errorf("%d dead letters are noted, want 4", n)
	}
}

// A hundred thousand dead letters, and somebody archives one more in asynqmon: asynq trims the archive to ten thousand. All of
// them are put back, and no script copies them all.
func TestManyDeadLettersStayAtLittleCost(t *testing.T) {
	t.Parallel()
	ctx, dead := t.Context(), 12_000
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if redistest.Real() {
		dead = 100_000
		opts.Addr, opts.DB = redistest.NewServer(t).Addr, 0 // which counts commands for this test alone
	}
	opts.ReadTimeout = time.Minute // asynq's script is slow in the embedded one
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { _ = rdb.Close() })
	var commands func() int
	if redistest.Real() {
		commands = func() int { return commandsOf(t, rdb) }
	}
	store := queue.NewStore(rdb)
	long := time.Now().Add(-48 * time.Hour).Unix()
	for n := 0; n < dead; n += 1000 {
		pipe := rdb.Pipeline()
		var ids []redis.Z
		for range 1000 {
			m := message(queue.Default)
			pipe.HSet(ctx, queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "archived")
			ids = append(ids, redis.Z{Score: float64(long + int64(n)), Member: m.ID})
		}
		pipe.ZAdd(ctx, queue.ArchivedKey(queue.Default), ids...)
		pipe.ZAdd(ctx, queue.DeadKey(queue.Default), ids...)
		if _, err := pipe.Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	byHand := message(queue.Default)
	enqueue(t, store, byHand, time.Now().Add(time.Hour))
	if err := asynq.NewInspectorFromRedisClient(rdb).ArchiveTask(queue.Default, byHand.ID); err != nil {
		t.Fatal(err)
	}
	if n := rdb.ZCard(ctx, queue.ArchivedKey(queue.Default)).Val(); int(n) >= dead {
		t.Fatalf("asynq has trimmed nothing: %d", n)
	}
	look := func() (cost int) {
		rdb.HDel(ctx, queue.LookKey(queue.Default), "at")
		if commands != nil {
			cost = -commands()
		}
		if taken, err := store.Take(ctx, queue.Default, false); err != nil || taken.Found != queue.FoundIdle {
			t.Fatalf("%+v, %v", taken, err)
		}
		if commands != nil {
			cost += commands()
		}
		return cost
	}
	looks := 0
	for complete := false; !complete; looks++ {
		if looks > dead/5000+10 {
			t.Fatalf("after %d looks %d are in the archive and %d are noted, %v", looks, rdb.ZCard(ctx, queue.ArchivedKey(queue.Default)).Val(),
				rdb.ZCard(ctx, queue.DeadKey(queue.Default)).Val(), rdb.HGetAll(ctx, queue.LookKey(queue.Default)).Val())
		}
		if cost := look(); cost > 25_000 {
			t.Errorf("look %d cost Redis %d commands", looks, cost)
		}
		complete = true
		for _, key := range []string{queue.ArchivedKey(queue.Default), queue.DeadKey(queue.Default)} {
			complete = complete && int(rdb.ZCard(ctx, key).Val()) == dead+1
		}
	}
	look() // the rest of the walk
	if cost := look(); cost > 300 {
		t.Errorf("a look where nothing is to be done cost Redis %d commands", cost)
	}
	if commands != nil && strings.Contains(rdb.Info(ctx, "commandstats").Val(), "zunionstore") {
		t.Error("all dead letters were copied")
	}
}

// commandsOf is how many commands a Redis has carried out, those in scripts included.
func commandsOf(t *testing.T, rdb redis.UniversalClient) (sum int) {
	t.Helper()
	stats, err := rdb.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, calls := range regexp.MustCompile(`calls=(\d+)`).FindAllStringSubmatch(stats, -1) {
		n, err := strconv.Atoi(calls[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// An archive of any size is read in pieces, which others may change meanwhile.
func TestALargeArchiveIsReadInPages(t *testing.T) {
	t.Parallel()
	rdb, watched := redistest.New(t), redistest.New(t)
	var want []string
	var all []redis.Z
	for i := range 13_000 {
		at := float64(max(i, 12_000)) // most of them at the same time
		id := fmt.Sprintf("%05d", i)
		want, all = append(want, id), append(all, redis.Z{Score: at, Member: id})
	}
	if err := rdb.ZAdd(t.Context(), queue.ArchivedKey(queue.Default), all...).Err(); err != nil {
		t.Fatal(err)
	}
	most, pages := 0, 0
	watched.AddHook(ranges(func(n int) {
		most = max(most, n)
		if pages++; pages == 1 { // somebody replays some that were read, the last one with them
			rdb.ZRem(t.Context(), queue.ArchivedKey(queue.Default), "00000", "00001", "04999")
		}
	}))
	got, err := archivedIDs(t.Context(), queue.NewStore(watched), queue.Default, time.Time{}, time.Unix(20_000, 0))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if most > 5000 {
		t.Errorf("%d ids in one answer", most)
	}
	got, err = archivedIDs(t.Context(), queue.NewStore(watched), queue.Default, time.Unix(12_990, 0), time.Unix(12_995, 0))
	if diff := cmp.Diff(want[12_990:12_996], got); diff != "" || err != nil {
		t.Errorf("some seconds: %v (-want +got):\n%s", err, diff)
	}
}

// archivedIDs reads all pages.
func archivedIDs(ctx context.Context, s *queue.Store, name string, since, until time.Time) (ids []string, err error) {
	pages := s.ArchivePages(name, since, until)
	for more := true; more && err == nil; {
		var page []string
		page, more, err = pages.Next(ctx)
		ids = append(ids, page...)
	}
	return ids, err
}

// Tasks are read in pieces where they are large.
func TestLargeTasksAreReadAFewAtATime(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	var want []string
	for i := range 12 {
		m := message(queue.Default)
		want = append(want, m.ID)
		if i == 5 {
			continue // nothing is there
		}
		m.Payload = bytes.Repeat([]byte("x"), 256<<10)
		enqueue(t, store, m, time.Time{})
	}
	var got []string
	trips := 0
	for ; len(got) < len(want); trips++ {
		records, err := store.Records(t.Context(), queue.Default, want[len(got):])
		if err != nil || len(records) == 0 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		size := 0
		for _, r := range records {
			id := want[len(got)]
			if r != nil {
				size += len(r.Message.Payload)
				id = r.Message.ID
			} else if len(got) != 5 {
				t.Errorf("no task %d", len(got))
			}
			got = append(got, id)
		}
		if size > 5<<18 {
			t.Errorf("%d bytes in one answer", size)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || trips > 4 {
		t.Errorf("in %d round trips (-want +got):\n%s", trips, diff)
	}
}

// ranges is told of how many members each answer to ZRANGEBYSCORE has.
type ranges func(n int)

func (ranges) DialHook(next redis.DialHook) redis.DialHook { return next }

func (ranges) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (r ranges) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		switch c := cmd.(type) {
		case *redis.ZSliceCmd:
			r(len(c.Val()))
		case *redis.StringSliceCmd:
			r(len(c.Val()))
		}
		return err
	}
}
