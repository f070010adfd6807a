package dequeue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
)

func TestGarbageReachesTheWorkerByName(t *testing.T) {
	t.Parallel()
	other := message(queue.Bulk)
	for _, tc := range []struct {
		name, msg, reason string
		id                string
	}{
		{name: "no bytes", msg: "", reason: "another task"},
		{name: "not protobuf", msg: "\xff\xff\xff\xff", reason: "not an asynq task message"},
		{name: "JSON", msg: `{"type":"message:send"}`, reason: "not an asynq task message"},
		{name: "a type that is not UTF-8", msg: string((&queue.Message{Type: "a:\xff", ID: "x", Queue: queue.Default}).Encode()), reason: "UTF-8"},
		{name: "a megabyte", msg: strings.Repeat("\xfe", 1<<20), reason: "not an asynq task message"},
		{name: "another task", msg: string(message(queue.Default).Encode()), reason: "another task"},
		{name: "another queue", msg: string(other.Encode()), reason: "another queue"},
		{name: "an id that is not UTF-8", msg: "x", reason: "not an asynq task message", id: "\xff\xfe"},
		{name: "an id that is not UTF-8, in its message too", msg: string((&queue.Message{Type: "a:b", ID: "\xff", Queue: queue.Default}).Encode()), reason: "UTF-8", id: "\xff"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			worker, rdb := newRDB(t)
			id := uuid.NewString()
			if tc.reason == "another queue" {
				id = other.ID
			}
			if tc.id != "" {
				id = tc.id
			}
			push(t, rdb, id, "msg", tc.msg, "state", "pending")
			good := message(queue.Default)
			enqueue(t, rdb, good, time.Time{})
			p := start(t, worker, func(_ context.Context, task *asynq.Task) error {
				if task.Type() == dequeue.UndecodableType {
					return fmt.Errorf("%s: %w", task.Headers()[dequeue.HeaderUndecodable], asynq.SkipRetry)
				}
				return nil
			}, queue.Default)

			var bad delivery
			for _, d := range p.wait(t, 2) {
				if d.Side.ID == id {
					bad = d
				} else if d.ID != good.ID {
					t.Errorf("delivered %q", d.ID)
				}
			}
			if bad.Type != dequeue.UndecodableType || bad.Payload != tc.msg {
				t.Errorf("delivered type %q with %d bytes, want the stand-in with the original's %d", bad.Type, len(bad.Payload), len(tc.msg))
			}
			insp := asynq.NewInspectorFromRedisClient(rdb)
			var info *asynq.TaskInfo
			eventually(t, "archiving", func() bool {
				info, _ = insp.GetTaskInfo(queue.Default, id)
				return info != nil && info.State == asynq.TaskStateArchived
			})
			if !strings.Contains(info.LastErr, tc.reason) {
				t.Errorf("archived for %q, want a reason that says %q", info.LastErr, tc.reason)
			}
			eventually(t, "empty hands", func() bool { return rdb.LLen(t.Context(), queue.ActiveKey(queue.Default)).Val() == 0 })
		})
	}
}

// push puts a pending task with these fields into the queue.
func push(t *testing.T, rdb redis.UniversalClient, id string, fields ...any) {
	t.Helper()
	if err := rdb.HSet(t.Context(), queue.TaskKey(queue.Default, id), fields...).Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.LPush(t.Context(), queue.PendingKey(queue.Default), id).Err(); err != nil {
		t.Fatal(err)
	}
}

// asynq's recoverer fails for every task as long as one in hand cannot be
// decoded, so the stand-in is stored before the worker has it.
func TestGarbageInHandCanBeDecoded(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	id, release := uuid.NewString(), make(chan struct{})
	push(t, rdb, id, "msg", "\xff", "state", "pending")
	p := start(t, worker, func(context.Context, *asynq.Task) error { <-release; return nil }, queue.Default)
	defer close(release)
	p.wait(t, 1)
	rec, err := queue.NewStore(rdb).Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Message.Type != dequeue.UndecodableType || rec.State != queue.Active {
		t.Errorf("stored: %+v", rec)
	}
}

func TestGhostsAreRemoved(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	ctx, ghost, leftover, wrongType := t.Context(), uuid.NewString(), uuid.NewString(), uuid.NewString()
	rdb.LPush(ctx, queue.PendingKey(queue.Default), ghost)
	push(t, rdb, leftover, "state", "active", "result", "late")
	rdb.LPush(ctx, queue.PendingKey(queue.Default), wrongType)
	rdb.Set(ctx, queue.TaskKey(queue.Default, wrongType), "x", 0)
	m := message(queue.Default)
	enqueue(t, rdb, m, time.Time{})
	p := start(t, worker, nil, queue.Default)
	if d := p.wait(t, 1)[0]; d.ID != m.ID {
		t.Errorf("delivered %q, want the task behind the ghosts", d.ID)
	}
	eventually(t, "empty hands", func() bool { return rdb.LLen(ctx, queue.ActiveKey(queue.Default)).Val() == 0 })
	if n := rdb.Exists(ctx, queue.TaskKey(queue.Default, ghost), queue.TaskKey(queue.Default, leftover)).Val(); n != 0 {
		t.Error("a hash was left behind")
	}
	for _, id := range []string{ghost, leftover, wrongType} {
		if n := p.log.count(id); n != 1 {
			t.Errorf("%d lines about %s, want 1", n, id)
		}
	}
}

func TestWhatAsynqGets(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour).Truncate(time.Second)
	base := queue.Message{Type: "a:b", Payload: []byte("p"), ID: "id", Queue: queue.Default, Retry: queue.MaxRetry, Timeout: 86400, Retention: 60}
	change := func(f func(*queue.Message)) *queue.Message {
		m := base
		f(&m)
		return &m
	}
	for _, tc := range []struct {
		name     string
		in, want *queue.Message
	}{
		{"asynq's limits end no task", change(func(m *queue.Message) { m.Retry, m.Timeout = 0, 1 }), &base},
		{"a kept retention", change(func(m *queue.Message) { m.Retention = 5 }), change(func(m *queue.Message) { m.Retention = 5 })},
		{"no retention", change(func(m *queue.Message) { m.Retention = 0 }), change(func(m *queue.Message) { m.Retention = 1800 })},
		{"a negative retention", change(func(m *queue.Message) { m.Retention = -1 }), change(func(m *queue.Message) { m.Retention = 1800 })},
		{
			"a deadline is when the task expires",
			change(func(m *queue.Message) { m.Deadline = deadline.Unix() }),
			change(func(m *queue.Message) {
				m.Headers = map[string]string{queue.HeaderExpiresAt: queue.FormatTime(deadline)}
			}),
		},
		{
			"unless it says itself when it expires",
			change(func(m *queue.Message) {
				m.Deadline, m.Headers = 1, map[string]string{queue.HeaderExpiresAt: "x", "k": "v"}
			}),
			change(func(m *queue.Message) { m.Headers = map[string]string{queue.HeaderExpiresAt: "x", "k": "v"} }),
		},
		{
			"a count of retries beyond all limits",
			change(func(m *queue.Message) { m.Retried = 2_000_000_000 }),
			change(func(m *queue.Message) { m.Retried = queue.MaxRetry - 1 }),
		},
		{"what else there is", change(func(m *queue.Message) {
			m.ErrorMsg, m.LastFailedAt, m.UniqueKey, m.GroupKey, m.Retried = "e", 7, "u", "g", 3
		}), change(func(m *queue.Message) {
			m.ErrorMsg, m.LastFailedAt, m.UniqueKey, m.GroupKey, m.Retried = "e", 7, "u", "g", 3
		})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, stands := dequeue.Normalize(string(tc.in.Encode()), "id", queue.Default, 30*time.Minute)
			if !stands {
				t.Error("it was replaced")
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestATaskWithoutRetriesIsRetried(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	p := start(t, worker, func(context.Context, *asynq.Task) error { return context.DeadlineExceeded }, queue.Default)
	if _, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("a:b", nil), asynq.MaxRetry(0)); err != nil {
		t.Fatal(err)
	}
	if d := p.wait(t, 2); d[0].MaxRetry != queue.MaxRetry {
		t.Errorf("asynq saw a limit of %d retries", d[0].MaxRetry)
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add(string(message(queue.Default).Encode()), "id")
	f.Add("\xff", "id")
	f.Add("\xff", "\xff")
	f.Fuzz(func(t *testing.T, encoded, id string) {
		m, _ := dequeue.Normalize(encoded, id, queue.Default, time.Hour)
		if (m.ID != id && utf8.ValidString(id)) || !utf8.ValidString(m.ID) || m.Queue != queue.Default || m.Retried >= m.Retry || m.Retention < 1 || m.Deadline != 0 {
			t.Errorf("%+v", m)
		}
	})
}
