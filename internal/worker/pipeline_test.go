package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

const validBlock = `{"v":1,"args":{"owner":"alice","user":"bob"}}`

// deliveries is what the dequeue hook would know.
type deliveries map[string]dequeue.Delivery

func (d deliveries) Delivery(id string) (dequeue.Delivery, bool) {
	side, ok := d[id]
	return side, ok
}

// A bench is a pipeline whose effect is a function of the test.
type bench struct {
	*pipeline
	calls int
	log   bytes.Buffer
	sides deliveries
}

func newBench(t *testing.T, effect func(ctx context.Context) (tasks.Result, error)) *bench {
	t.Helper()
	b := &bench{sides: deliveries{}}
	cutoff, cut := context.WithCancel(t.Context())
	t.Cleanup(cut)
	logger := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.pipeline = &pipeline{
		hook: b.sides,
		perform: func(ctx context.Context, _ uuid.UUID, _ tasks.Task, _ int) (tasks.Result, error) {
			b.calls++
			return effect(ctx)
		},
		delay: retryDelay{time.Second, time.Minute}, metrics: NewMetrics(""), flight: newFlight(nil), log: logger,
		maxAttempts: 3, timeout: func(tasks.Task) time.Duration { return time.Minute }, draining: context.Background(), cutoff: cutoff,
	}
	return b
}

// process hands one task to the pipeline through an asynq server of the test's
// own making: only asynq can put an id into a context.
func (b *bench) process(t *testing.T, id, taskType, payload string, headers map[string]string) (err error) {
	t.Helper()
	rdb := redistest.New(t)
	b.records = &recorder{rdb: rdb, patience: time.Second, cutoff: b.cutoff, log: b.pipeline.log}
	client := asynq.NewClientFromRedisClient(rdb)
	if _, err := client.Enqueue(asynq.NewTaskWithHeaders(taskType, []byte(payload), headers), asynq.TaskID(id), asynq.Retention(time.Hour)); err != nil {
		t.Fatal(err)
	}
	srv := asynq.NewServerFromRedisClient(rdb, asynq.Config{TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel})
	result := make(chan error, 1)
	if err := srv.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		err := b.ProcessTask(ctx, task)
		result <- err
		return err
	})); err != nil {
		t.Fatal(err)
	}
	defer srv.Shutdown()
	select {
	case err := <-result:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the task was not processed")
		return nil
	}
}

func (b *bench) hash(t *testing.T, id string) map[string]string {
	t.Helper()
	fields, err := redistest.New(t).HGetAll(t.Context(), queue.TaskKey("default", id)).Result()
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func succeed(context.Context) (tasks.Result, error) { return tasks.Result{}, nil }

func failWith(err error) func(context.Context) (tasks.Result, error) {
	return func(context.Context) (tasks.Result, error) { return tasks.Result{}, err }
}

func TestPipeline_records_the_result(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	message, err := layer.ParseMessageID(id)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(context.Context) (tasks.Result, error) { return tasks.Result{MessageID: message}, nil })
	b.sides[id] = dequeue.Delivery{Attempts: 1, Deliveries: 2}
	if err := b.process(t, id, tasks.TypeBlockUser, validBlock, nil); err != nil {
		t.Fatal(err)
	}
	got := b.hash(t, id)
	if want := `{"message_id":"layer:///messages/` + id + `"}`; got[queue.FieldResult] != want || got[queue.FieldAttempts] != "2" {
		t.Errorf("result %s, attempts %s; want %s, 2", got[queue.FieldResult], got[queue.FieldAttempts], want)
	}
}

func TestPipeline_makes_no_call_for_what_is_done(t *testing.T) {
	t.Parallel()
	b := newBench(t, succeed)
	id := uuid.NewString()
	b.sides[id] = dequeue.Delivery{Result: []byte("{}"), Attempts: 1, Deliveries: 2}
	expired := map[string]string{queue.HeaderExpiresAt: queue.FormatTime(time.Now().Add(-time.Hour))}
	if err := b.process(t, id, tasks.TypeBlockUser, validBlock, expired); err != nil || b.calls != 0 {
		t.Errorf("%v after %d calls", err, b.calls)
	}
}

func TestPipeline_executes_nothing_that_expired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, header string
		wantCalls    int
		wantReason   string
	}{
		{"in an hour", queue.FormatTime(time.Now().Add(time.Hour)), 1, ""},
		{"an hour ago", "2026-01-02T03:04:05Z", 0, "expired at 2026-01-02T03:04:05Z: it was not executed"},
		{"no time", "tomorrow", 0, "header layerq-expires-at is not a time in RFC 3339: it was not executed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, succeed)
			err := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, map[string]string{queue.HeaderExpiresAt: c.header})
			if got := textOf(err); got != c.wantReason || b.calls != c.wantCalls {
				t.Errorf("%q after %d calls, want %q after %d", got, b.calls, c.wantReason, c.wantCalls)
			}
		})
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A table of what other programs, older and newer versions and accidents may
// put into a queue.
func TestPipeline_archives_garbage_without_a_call(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, id, taskType, payload, want string
	}{
		{"no JSON", "", tasks.TypeBlockUser, "hello", "payload"},
		{"nothing", "", tasks.TypeBlockUser, "", "payload"},
		{"JSON of another kind", "", tasks.TypeBlockUser, "[]", "payload"},
		{"unknown v", "", tasks.TypeBlockUser, `{"v":2,"args":{"owner":"a","user":"b"}}`, "v"},
		{"no v", "", tasks.TypeBlockUser, `{"args":{"owner":"a","user":"b"}}`, "v"},
		{"unknown field", "", tasks.TypeBlockUser, `{"v":1,"args":{"owner":"a","user":"b","until":"x"}}`, "until"},
		{"unknown field beside args", "", tasks.TypeBlockUser, `{"v":1,"lane":"x","args":{"owner":"a","user":"b"}}`, "lane"},
		{"a field twice", "", tasks.TypeBlockUser, `{"v":1,"args":{"owner":"a","owner":"b","user":"b"}}`, "owner"},
		{"a number for a text", "", tasks.TypeBlockUser, `{"v":1,"args":{"owner":1,"user":"b"}}`, "owner"},
		{"an empty value", "", tasks.TypeBlockUser, `{"v":1,"args":{"owner":"","user":"b"}}`, "owner"},
		{"invalid UTF-8", "", tasks.TypeBlockUser, "{\"v\":1,\"args\":{\"owner\":\"a\xff\",\"user\":\"b\"}}", "UTF-8"},
		{"NUL", "", tasks.TypeBlockUser, `{"v":1,"args":{"owner":"a\u0000","user":"b"}}`, "owner"},
		{"1 MiB", "", tasks.TypeBlockUser, `{"v":1,"args":{"owner":"` + strings.Repeat("x", 1<<20) + `","user":"b"}}`, "payload"},
		{"10,000 open brackets", "", tasks.TypeBlockUser, strings.Repeat("[", 10_000), "payload"},
		{"10,000 open brackets in args", "", tasks.TypeBlockUser, `{"v":1,"args":` + strings.Repeat("[", 10_000), "nested"},
		{"something behind it", "", tasks.TypeBlockUser, validBlock + "x", "payload"},
		{"unknown type", "", "user:ban", validBlock, "type"},
		{"a type that ours is a prefix of", "", tasks.TypeBlockUser + "_all", validBlock, "type"},
		{"a prefix of a type", "", "user:", validBlock, "type"},
		{"a type in capitals", "", "USER:BLOCK", validBlock, "type"},
		{"a type of 10,000 characters", "", strings.Repeat("x", 10_000), validBlock, "type"},
		{"an id that is no UUID", "order-4711", tasks.TypeBlockUser, validBlock, "dedupe UUID"},
		{"an id in capitals", "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA", tasks.TypeBlockUser, validBlock, "dedupe UUID"},
		{"what the hook could not decode", "", dequeue.UndecodableType, "\xff", "no asynq task"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, succeed)
			id := c.id
			if id == "" {
				id = uuid.NewString()
			}
			err := b.process(t, id, c.taskType, c.payload, nil)
			if !errors.Is(err, asynq.SkipRetry) || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 2*maxReason {
				t.Errorf("%v, want it archived because of %q", err, c.want)
			}
			if b.calls != 0 {
				t.Errorf("%d calls", b.calls)
			}
			if got := b.hash(t, id)[queue.FieldAttempts]; got != "" {
				t.Errorf("%s attempts were recorded", got)
			}
		})
	}
}

func TestPipeline_counts_what_Layer_answered(t *testing.T) {
	t.Parallel()
	unavailable := answer(503, layer.CodeServiceUnavailable)
	for _, c := range []struct {
		name           string
		err            error
		attempts       int // before
		failures       int // before, of at most 3
		wantAttempts   string
		wantFailures   string
		wantArchived   bool
		wantAsynqCount bool
	}{
		{"an answer is an attempt", unavailable, 0, 0, "1", "1", false, true},
		{"the last but one", unavailable, 1, 1, "2", "2", false, true},
		{"the last one", unavailable, 2, 2, "3", "3", true, false},
		{"no answer is none", failure(layer.KindConnect, 0), 2, 2, "", "", false, false},
		{"a limit is never the last", answer(429, layer.CodeRateLimitExceeded), 2, 2, "3", "2", false, true},
		{"a revoked token is never the last", answer(401, layer.CodeAuthenticationRequired), 1000, 0, "1001", "0", false, true},
		{"what held cost nothing", unavailable, 1000, 0, "1001", "1", false, true},
		{"a source that fails for now", &tasks.SourceError{Temporary: true}, 1, 1, "1", "2", false, false},
		{"a source that fails for ever", &tasks.SourceError{Temporary: true}, 1, 2, "1", "3", true, false},
		{"an outage before costs a source nothing", &tasks.SourceError{Temporary: true}, 0, 0, "0", "1", false, false},
		{"a refusal is the last at once", answer(404, layer.CodeNotFound), 0, 0, "1", "0", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, failWith(c.err))
			id := uuid.NewString()
			b.sides[id] = dequeue.Delivery{Attempts: c.attempts, Failures: c.failures, Deliveries: 1001}
			err := b.process(t, id, tasks.TypeBlockUser, validBlock, nil)
			if archived := errors.Is(err, asynq.SkipRetry); archived != c.wantArchived {
				t.Errorf("archived: %t: %v", archived, err)
			}
			hash := b.hash(t, id)
			if got := hash[queue.FieldAttempts]; got != c.wantAttempts {
				t.Errorf("%q attempts, want %q", got, c.wantAttempts)
			}
			if got := hash[queue.FieldFailures]; got != c.wantFailures {
				t.Errorf("%q failures, want %q", got, c.wantFailures)
			}
			if counted := countsForAsynq(err); counted != c.wantAsynqCount {
				t.Errorf("asynq counts a retry: %t", counted)
			}
		})
	}
}

func TestPipeline_takes_a_deletion_for_done_that_an_earlier_execution_made(t *testing.T) {
	t.Parallel()
	const deletion = `{"v":1,"args":{"conversation":"layer:///conversations/22222222-2222-4222-8222-222222222222","message":"layer:///messages/33333333-3333-4333-8333-333333333333"}}`
	for deliveries, wantDone := range map[int]bool{1: false, 2: true} {
		b := newBench(t, failWith(answer(404, layer.CodeNotFound)))
		id := uuid.NewString()
		b.sides[id] = dequeue.Delivery{Deliveries: deliveries}
		err := b.process(t, id, tasks.TypeDeleteMessage, deletion, nil)
		if done := err == nil; done != wantDone {
			t.Errorf("delivery %d: %v", deliveries, err)
		}
	}
}

func TestPipeline_archives_a_panic(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context) (tasks.Result, error) { panic("swordfish") })
	err := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil)
	if !errors.Is(err, asynq.SkipRetry) || err.Error() != "panic while executing user:block: a string" {
		t.Errorf("%v", err)
	}
	if log := b.log.String(); !strings.Contains(log, "pipeline_test.go") || strings.Contains(log, "swordfish") || strings.Contains(log, "alice") {
		t.Errorf("the log lacks the stack or tells too much:\n%s", log)
	}
}

func TestPipeline_bounds_an_execution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.perform = func(ctx context.Context, _ uuid.UUID, _ tasks.Task, _ int) (tasks.Result, error) {
			<-ctx.Done()
			return tasks.Result{}, context.Cause(ctx)
		}
		start := time.Now()
		_, err := b.call(t.Context(), &execution{expiry: new(expiry), draining: t.Context()}, uuid.New(), tasks.BlockUser{}, 1)
		if !errors.Is(err, errTimeout) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestPipeline_logs_nothing_of_a_task(t *testing.T) {
	t.Parallel()
	b := newBench(t, failWith(answer(503, layer.CodeServiceUnavailable)))
	if err := b.process(t, uuid.NewString(), tasks.TypeBlockUser, `{"v":1,"args":{"owner":"alice","user":"swordfish"}}`, nil); err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"task_id=", "type=user:block", "queue=default", "attempt=1", "code=service_unavailable", "took="} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, b.log.String())
		}
	}
	if strings.Contains(b.log.String(), "swordfish") {
		t.Errorf("the log shows the payload: %s", b.log.String())
	}
}
