package worker

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

func TestWorker_executes_tasks_of_every_queue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.worker(t, nil)
	for _, name := range queue.Names {
		id := r.enqueue(t, r.say("for "+name), tasks.Queue(name))
		info := r.wantState(t, id, tasks.StateCompleted)
		if want := `{"message_id":"layer:///messages/` + id.String() + `"}`; string(info.Result) != want || info.Attempts != 1 {
			t.Errorf("%s: result %s after %d attempts, want %s after 1", name, info.Result, info.Attempts, want)
		}
		if info.CompletedAt.Before(info.EnqueuedAt) {
			t.Errorf("%s: completed at %v, enqueued at %v", name, info.CompletedAt, info.EnqueuedAt)
		}
	}
	r.layer.WantMessages(t, r.conv, "for critical", "for default", "for bulk")
}

func TestWorker_forgets_those_that_were_killed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rdb := r.client(t)
	for _, key := range []string{"asynq:servers", "asynq:workers"} {
		if err := rdb.ZAdd(t.Context(), key, redis.Z{Score: 1, Member: "gone"}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	r.worker(t, nil)
	eventually(t, "forgetting those that are gone", func() bool {
		_, server := rdb.ZScore(t.Context(), "asynq:servers", "gone").Result()
		_, worker := rdb.ZScore(t.Context(), "asynq:workers", "gone").Result()
		return errors.Is(server, redis.Nil) && errors.Is(worker, redis.Nil)
	})
}

func TestWorker_repeats_what_may_succeed_later(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.FailNext(503, 503, 503) // the first execution, with its short repetitions
	r.worker(t, nil)
	id := r.enqueue(t, r.say("once"))
	if info := r.wantState(t, id, tasks.StateCompleted); info.Attempts != 2 {
		t.Errorf("%d attempts, want 2", info.Attempts)
	}
	r.layer.WantMessages(t, r.conv, "once")
}

func TestWorker_gives_up_after_the_last_attempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.RefuseNext(503, 503, 503, 503, 503, 503)
	r.worker(t, func(o *Options) { o.MaxAttempts = 2 })
	id := r.enqueue(t, r.say("never"))
	info := r.wantState(t, id, tasks.StateArchived)
	if info.Attempts != 2 || !strings.HasPrefix(info.Error, "given up after 2 attempts: layer: POST ") || !strings.Contains(info.Error, "503 service_unavailable") {
		t.Errorf("%d attempts, %s", info.Attempts, info.Error)
	}
	r.layer.WantMessages(t, r.conv)
}

func TestWorker_archives_what_Layer_refuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.RefuseNext(404)
	r.worker(t, nil)
	id := r.enqueue(t, r.say("to nobody"))
	if info := r.wantState(t, id, tasks.StateArchived); info.Attempts != 1 || !strings.Contains(info.Error, "404 not_found") || strings.Contains(info.Error, "skip retry") {
		t.Errorf("%d attempts, %s", info.Attempts, info.Error)
	}
	r.layer.WantRequests(t, 1)
}

// A worker had lost the task before it had the answer, and could write down no more than the result.
func TestWorker_makes_no_call_for_a_task_with_a_result(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.enqueue(t, r.say("sent before"))
	result := `{"message_id":"layer:///messages/` + id.String() + `"}`
	if err := redistest.New(t).HSet(t.Context(), queue.TaskKey(queue.Default, id.String()), queue.FieldResult, result, queue.FieldAttempts, 1).Err(); err != nil {
		t.Fatal(err)
	}
	r.worker(t, nil)
	if info := r.wantState(t, id, tasks.StateCompleted); string(info.Result) != result || info.Attempts != 1 {
		t.Errorf("result %s, %d attempts", info.Result, info.Attempts)
	}
	r.layer.WantRequests(t, 0)
}

func TestWorker_archives_garbage_and_goes_on(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rdb := redistest.New(t)
	client := asynq.NewClientFromRedisClient(rdb)
	var garbage []string
	for payload, taskType := range map[string]string{
		"hello":                               tasks.TypeSendMessage,
		`{"v":7,"args":{}}`:                   tasks.TypeSendMessage,
		strings.Repeat("[", 10_000):           tasks.TypeSendMessage,
		strings.Repeat("x", 1<<20):            tasks.TypeSendMessage,
		"{\"v\":1,\"args\":\"\xff\"}":         tasks.TypeSendMessage,
		`{"v":1,"args":{"owner":"a"}}`:        tasks.TypeSendMessage + "_rich",
		`{"v":1,"args":{"owner":"a"},"x":{}}`: "user:ban",
	} {
		id := uuid.NewString()
		// asynq's own producers allow no retries if they are told so.
		if _, err := client.Enqueue(asynq.NewTask(taskType, []byte(payload)), asynq.TaskID(id), asynq.MaxRetry(0)); err != nil {
			t.Fatal(err)
		}
		garbage = append(garbage, id)
	}
	for name, message := range map[string]any{"not protobuf": "\xff\xff\xff", "empty": ""} {
		id := uuid.NewString()
		if err := rdb.HSet(t.Context(), queue.TaskKey(queue.Default, id), "msg", message, "state", "pending").Err(); err != nil {
			t.Fatal(err)
		}
		if err := rdb.LPush(t.Context(), queue.PendingKey(queue.Default), id).Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		garbage = append(garbage, id)
	}
	rdb.LPush(t.Context(), queue.PendingKey(queue.Default), "a-ghost-without-a-hash")

	p := r.worker(t, nil)
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	for _, id := range garbage {
		eventually(t, id+" is archived", func() bool {
			info, err := inspector.GetTaskInfo(queue.Default, id)
			return err == nil && info.State == asynq.TaskStateArchived && info.LastErr != ""
		})
	}
	r.wantState(t, r.enqueue(t, r.say("after it")), tasks.StateCompleted)
	r.layer.WantRequests(t, 1)
	if active := rdb.LLen(t.Context(), queue.ActiveKey(queue.Default)).Val(); active != 0 {
		t.Errorf("%d tasks stay active", active)
	}
	for _, family := range gather(t, p.opts.Metrics) {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if strings.Contains(label.GetValue(), "ban") || strings.Contains(label.GetValue(), "rich") {
					t.Errorf("%s has a label from the queue: %s", family.GetName(), label.GetValue())
				}
			}
		}
	}
}

func TestWorker_shares_the_work_with_a_second_one(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	slow(r, 30*time.Millisecond)
	few := func(o *Options) { o.Queues = map[string]int{"default": 2} }
	first, second := r.worker(t, few), r.worker(t, few)
	for _, p := range []*pool{first, second} {
		eventually(t, "it takes tasks", func() bool { return strings.Contains(p.log.String(), "worker takes tasks") })
	}
	var ids []uuid.UUID
	for range 40 {
		ids = append(ids, r.enqueue(t, tasks.BlockUser{Owner: "alice", User: uuid.NewString()}))
	}
	for _, id := range ids {
		r.wantState(t, id, tasks.StateCompleted)
	}
	a, b := counted(t, first.opts.Metrics, "done"), counted(t, second.opts.Metrics, "done")
	if a+b != 40 || a < 5 || b < 5 {
		t.Errorf("of 40 tasks the workers did %v and %v", a, b)
	}
	r.layer.WantRequests(t, 40)
}

func TestNew_says_what_is_missing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := Options{Redis: r.client(t), Status: r.client(t), API: r.layer.Client(t), Queues: map[string]int{"default": 1}}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no Redis":         {func(o *Options) { o.Redis = nil }, "Redis"},
		"no queue":         {func(o *Options) { o.Queues = nil }, "no queues"},
		"an unknown queue": {func(o *Options) { o.Queues = map[string]int{"urgent": 1} }, `"urgent"`},
		"no concurrency":   {func(o *Options) { o.Queues = map[string]int{"bulk": 0} }, `"bulk" with concurrency 0`},
	} {
		opts := good
		c.change(&opts)
		if _, err := New(opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// What is over leaves nothing behind, and its id is free. The retention is the producer's: the worker's own is a day.
func TestWorker_forgets_a_task_whose_retention_is_over(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rdb := redistest.New(t)
	var err error
	if r.tasks, err = tasks.NewClientFromRedis(rdb, tasks.WithRetention(time.Second)); err != nil {
		t.Fatal(err)
	}
	r.worker(t, nil)
	id := uuid.New()
	for calls := 1; calls <= 2; calls++ {
		info, err := r.tasks.Enqueue(t.Context(), r.say("once"), tasks.ID(id))
		if err != nil || info.Duplicate {
			t.Fatalf("enqueued for the %d. time: %+v, %v", calls, info, err)
		}
		// asynq's janitor comes every 8 s.
		eventually(t, "it is gone", func() bool {
			_, err := r.tasks.Status(t.Context(), id)
			return errors.Is(err, tasks.ErrNotFound)
		})
		r.layer.WantRequests(t, calls) // it was executed, and not just lost
		if keys := rdb.Keys(t.Context(), "*"+id.String()+"*").Val(); len(keys) > 0 {
			t.Errorf("%q are left", keys)
		}
		for _, key := range []string{
			queue.CompletedKey(queue.Default), queue.HeadsKey(queue.Default), queue.PendingKey(queue.Default), queue.ActiveKey(queue.Default), queue.LeaseKey(queue.Default),
		} {
			if n := rdb.Exists(t.Context(), key).Val(); n != 0 {
				t.Errorf("%s is left", key)
			}
		}
	}
	r.layer.WantMessages(t, r.conv, "once") // which Layer knows for longer
}

func TestRun_is_called_once(t *testing.T) {
	t.Parallel()
	p := newRig(t).worker(t, nil)
	eventually(t, "it runs", func() bool { return p.State() == "running" })
	if err := p.Run(t.Context()); err == nil {
		t.Error("a second Run is no error")
	}
}

// A deletion that found nothing has deleted nothing, also when somebody replays it.
func TestWorker_replays_a_deletion_that_found_nothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.worker(t, nil)
	message, err := layer.ParseMessageID("33333333-3333-4333-8333-333333333333")
	if err != nil {
		t.Fatal(err)
	}
	id := r.enqueue(t, tasks.DeleteMessage{Conversation: r.conv, Message: message})
	r.wantState(t, id, tasks.StateArchived)
	if done, err := queue.NewStore(redistest.New(t)).Replay(t.Context(), queue.Default, []string{id.String()}); err != nil || !done[0] {
		t.Fatalf("%v, %v", done, err)
	}
	var info *tasks.Info
	eventually(t, "the second execution", func() bool {
		info, err = r.tasks.Status(t.Context(), id)
		return err == nil && info.Attempts == 2
	})
	if info.State != tasks.StateArchived || info.Code != "not_found" {
		t.Errorf("%+v, want it to be archived again", info)
	}
}
