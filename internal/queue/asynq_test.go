package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// The tests of this file fail when a new asynq lays Redis out in another way.

func TestAsynqServerRunsWhatWeEnqueue(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, want := queue.NewStore(rdb), message(queue.Default)
	enqueue(t, store, want, time.Time{})

	type seen struct {
		Type, ID string
		Payload  string
		Headers  map[string]string
		MaxRetry int
	}
	got := make(chan seen, 1)
	serve(t, rdb, queue.Default, func(ctx context.Context, task *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		maxRetry, _ := asynq.GetMaxRetry(ctx)
		_, err := task.ResultWriter().Write([]byte(`{"done":true}`))
		got <- seen{task.Type(), id, string(task.Payload()), task.Headers(), maxRetry}
		return err
	})
	if diff := cmp.Diff(seen{want.Type, want.ID, string(want.Payload), want.Headers, queue.MaxRetry}, <-got); diff != "" {
		t.Errorf("what the handler saw (-want +got):\n%s", diff)
	}

	var rec *queue.Record
	eventually(t, "completion", func() bool {
		rec, _ = store.Find(t.Context(), want.ID)
		return rec != nil && rec.State == queue.Completed
	})
	if string(rec.Result) != `{"done":true}` {
		t.Errorf("Result = %q, want what asynq's ResultWriter wrote", rec.Result)
	}
	if since := time.Since(rec.CompletedAt); since < -time.Minute || since > time.Minute {
		t.Errorf("CompletedAt = %s, want about now", rec.CompletedAt)
	}
	if !rec.EnqueuedAt.Equal(want.EnqueuedAt()) {
		t.Errorf("EnqueuedAt = %s, want %s", rec.EnqueuedAt, want.EnqueuedAt())
	}
}

func TestInspectorSeesWhatWeEnqueue(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	pending, scheduled := message(queue.Bulk), message(queue.Bulk)
	at := time.Now().Add(time.Hour)
	enqueue(t, store, pending, time.Time{})
	enqueue(t, store, scheduled, at)

	insp := asynq.NewInspectorFromRedisClient(rdb)
	queues, err := insp.Queues()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{queue.Bulk}, queues); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	info, err := insp.GetTaskInfo(queue.Bulk, pending.ID)
	if err != nil {
		t.Fatal(err)
	}
	if info.State != asynq.TaskStatePending || info.Type != pending.Type || info.Retention != 24*time.Hour ||
		info.Timeout != time.Hour || info.MaxRetry != queue.MaxRetry || string(info.Payload) != string(pending.Payload) {
		t.Errorf("pending task: %+v", info)
	}
	list, err := insp.ListScheduledTasks(queue.Bulk)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].ID != scheduled.ID {
		t.Fatalf("scheduled tasks: %v", list)
	}
	if next := list[0].NextProcessAt; next.Before(at) || next.Sub(at) >= time.Second {
		t.Errorf("scheduled for %s, want %s, up to a second later", next, at)
	}
	if list, err := insp.ListPendingTasks(queue.Bulk); err != nil || len(list) != 1 || list[0].ID != pending.ID {
		t.Errorf("pending tasks: %v, %v", list, err)
	}
	stats, err := insp.GetQueueInfo(queue.Bulk)
	if redistest.Real() && err != nil { // miniredis has no MEMORY USAGE
		t.Fatal(err)
	}
	if err == nil && (stats.Pending != 1 || stats.Scheduled != 1 || stats.Latency <= 0) {
		t.Errorf("queue info: %+v", stats)
	}
}

func TestWeReadAFractionOfASecond(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, m, at := queue.NewStore(rdb), message(queue.Default), time.Now().Add(time.Hour).Truncate(time.Second)
	enqueue(t, store, m, at)
	rdb.ZIncrBy(t.Context(), queue.ScheduledKey(queue.Default), 0.5, m.ID)
	rec, err := store.Find(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := at.Add(500 * time.Millisecond); !rec.NextProcessAt.Equal(want) {
		t.Errorf("NextProcessAt = %s, want %s", rec.NextProcessAt, want)
	}
}

func TestWeFindWhatAsynqEnqueues(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	id, deadline := uuid.NewString(), time.Now().Add(time.Hour)
	client := asynq.NewClientFromRedisClient(rdb)
	_, err := client.Enqueue(
		asynq.NewTaskWithHeaders("user:block", []byte("payload"), map[string]string{"k": "v", "l": "w"}),
		asynq.TaskID(id), asynq.Queue(queue.Critical), asynq.MaxRetry(7), asynq.Timeout(90*time.Second),
		asynq.Deadline(deadline), asynq.Retention(time.Minute), asynq.Unique(time.Hour),
	)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := queue.NewStore(rdb).Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := &queue.Message{
		Type: "user:block", Payload: []byte("payload"), Headers: map[string]string{"k": "v", "l": "w"}, ID: id,
		Queue: queue.Critical, Retry: 7, Timeout: 90, Deadline: deadline.Unix(), Retention: 60,
		UniqueKey: rec.Message.UniqueKey,
	}
	if diff := cmp.Diff(want, rec.Message); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(rec.Message.UniqueKey, queue.Prefix(queue.Critical)+"unique:user:block:") {
		t.Errorf("UniqueKey = %q", rec.Message.UniqueKey)
	}
	if rec.State != queue.Pending {
		t.Errorf("state %s", rec.State)
	}
	if !rec.EnqueuedAt.IsZero() {
		t.Errorf("EnqueuedAt = %s for a task that layerq did not enqueue", rec.EnqueuedAt)
	}
}

func TestWeFindAFailedTaskOfAsynq(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	retry, archive := message(queue.Default), message(queue.Default)
	archive.Payload = []byte("archive")
	enqueue(t, store, retry, time.Time{})
	enqueue(t, store, archive, time.Time{})
	serve(t, rdb, queue.Default, func(_ context.Context, task *asynq.Task) error {
		if string(task.Payload()) == "archive" {
			return asynq.SkipRetry
		}
		return errors.New("try again")
	})

	find := func(id string, state queue.State) (rec *queue.Record) {
		eventually(t, "state "+string(state), func() bool {
			rec, _ = store.Find(t.Context(), id)
			return rec != nil && rec.State == state
		})
		return rec
	}
	rec := find(retry.ID, queue.Retry)
	if rec.Message.Retried != 1 || rec.Message.ErrorMsg != "try again" || rec.Message.LastFailedAt == 0 {
		t.Errorf("message of the retrying task: %+v", rec.Message)
	}
	if d := time.Until(rec.NextProcessAt); d < 59*time.Minute || d > time.Hour {
		t.Errorf("next attempt in %s, want 1 h", d)
	}
	rec = find(archive.ID, queue.Archived)
	if rec.Message.ErrorMsg != asynq.SkipRetry.Error() || !rec.NextProcessAt.IsZero() {
		t.Errorf("archived task: %+v, next attempt %s", rec.Message, rec.NextProcessAt)
	}
}

// asynq's lock of a unique task ends when that is done, not when its time is over; it stays while the task is tried again, and when it
// is archived.
func TestAUniqueTaskThatIsDoneMakesRoom(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	producer := asynq.NewClientFromRedisClient(b.rdb)
	produce := func() error {
		_, err := producer.EnqueueContext(b.ctx, asynq.NewTask("user:block", []byte("x")), asynq.Unique(time.Hour))
		return err
	}
	for _, tc := range []struct {
		verdict queue.Verdict
		want    error
	}{
		{queue.VerdictRetry, asynq.ErrDuplicateTask},
		{queue.VerdictBack, asynq.ErrDuplicateTask},
		{queue.VerdictDone, nil},
		{queue.VerdictArchive, asynq.ErrDuplicateTask},
	} {
		if err := produce(); err != nil && !errors.Is(err, asynq.ErrDuplicateTask) {
			t.Fatal(err)
		}
		for _, id := range b.rdb.ZRange(b.ctx, queue.RetryKey(queue.Default), 0, -1).Val() {
			b.rdb.ZAdd(b.ctx, queue.RetryKey(queue.Default), redis.Z{Score: 1, Member: id}) // its wait is over
		}
		if taken := b.take(); !b.settle(taken, tc.verdict) {
			t.Fatalf("%+v was not settled", taken)
		}
		if err := produce(); !errors.Is(err, tc.want) {
			t.Errorf("after %q: %v, want %v", tc.verdict, err, tc.want)
		}
	}
}

// The lock may be another task's by now, and a field that another program wrote is no reason to delete something.
func TestALockOfAnotherTaskStays(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	for _, tc := range []struct {
		key   string
		own   bool
		stays bool
	}{
		{queue.Prefix(queue.Default) + "unique:a", true, false},
		{queue.Prefix(queue.Default) + "unique:a", false, true},
		{queue.Prefix(queue.Bulk) + "unique:a", true, true},
		{"elsewhere", true, true},
	} {
		m := message(queue.Default)
		enqueue(t, b.Store, m, time.Time{})
		holder := m.ID
		if !tc.own {
			holder = uuid.NewString()
		}
		b.rdb.Set(b.ctx, tc.key, holder, time.Hour)
		b.rdb.HSet(b.ctx, queue.TaskKey(queue.Default, m.ID), "unique_key", tc.key)
		b.settle(b.take(), queue.VerdictDone)
		if stays := b.rdb.Exists(b.ctx, tc.key).Val() == 1; stays != tc.stays {
			t.Errorf("%+v: the lock is there: %t", tc, stays)
		}
	}
}

// A worker that is killed leaves its name behind; one that lives keeps it, also in its last second.
func TestServersThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	b := newLeaseBench(t)
	serve(t, b.rdb, queue.Default, func(context.Context, *asynq.Task) error { return nil })
	insp := asynq.NewInspectorFromRedisClient(b.rdb)
	var lives []*asynq.ServerInfo
	eventually(t, "the server's sign of life", func() bool {
		lives, _ = insp.Servers()
		return len(lives) == 1
	})
	now := b.rdb.Time(b.ctx).Val().Unix()
	for _, key := range []string{"asynq:servers", "asynq:workers"} {
		for i := range 10 {
			b.rdb.ZAdd(b.ctx, key, redis.Z{Score: float64(now - 2 - int64(i)), Member: uuid.NewString()})
		}
		b.rdb.ZAdd(b.ctx, key, redis.Z{Score: float64(now + 60), Member: "another"})
	}
	for range 2 {
		if err := b.ForgetServers(b.ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"asynq:servers", "asynq:workers"} {
		if names := b.rdb.ZRange(b.ctx, key, 0, -1).Val(); len(names) != 2 {
			t.Errorf("%s has %v, want the server that runs, and another", key, names)
		}
	}
}
