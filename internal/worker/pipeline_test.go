package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

const validBlock = `{"v":1,"args":{"owner":"alice","user":"bob"}}`

// A bench is a pipeline whose effect is a function of the test, and whose hook
// hands out what the test says.
type bench struct {
	*pipeline
	calls   int
	log     bytes.Buffer
	settled []queue.Settlement
	waits   []bool // as they were noted
	forgot  int
}

func newBench(t *testing.T, effect func(ctx context.Context) (tasks.Result, error)) *bench {
	t.Helper()
	b := new(bench)
	cutoff, cut := context.WithCancel(t.Context())
	t.Cleanup(cut)
	logger := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.pipeline = &pipeline{
		settler: &settler{hook: b, patience: time.Second, cutoff: cutoff},
		perform: func(ctx context.Context, _ uuid.UUID, _ tasks.Task, _ int) (tasks.Result, error) {
			b.calls++
			return effect(ctx)
		},
		delay: retryDelay{time.Second, time.Minute}, metrics: NewMetrics(""), flight: newFlight(nil), log: logger,
		maxAttempts: 3, timeout: func(tasks.Task) time.Duration { return time.Minute }, draining: t.Context(), cutoff: cutoff,
	}
	return b
}

// Delivery, Settle, Waits and Done make the bench its own hook.
func (b *bench) Delivery(_, _ string) *dequeue.Delivery { return nil }

func (b *bench) Settle(_ context.Context, _ *dequeue.Delivery, e queue.Settlement) (bool, error) {
	b.settled = append(b.settled, e)
	return true, nil
}

func (b *bench) Waits(_ context.Context, _ *dequeue.Delivery, waits bool) error {
	b.waits = append(b.waits, waits)
	return nil
}

func (b *bench) Done(*dequeue.Delivery) { b.forgot++ }

// process hands one task to the pipeline and returns how it was settled.
func (b *bench) process(t *testing.T, id, taskType, payload string, headers map[string]string, sides ...queue.Taken) queue.Settlement {
	t.Helper()
	taken := queue.Taken{Deliveries: 1}
	if len(sides) > 0 {
		taken = sides[0]
	}
	taken.ID, taken.Now = id, time.Now()
	m := &queue.Message{Type: taskType, Payload: []byte(payload), ID: id, Queue: queue.Default, Headers: headers, Retention: 60}
	b.deliver(t.Context(), dequeue.NewDelivery(queue.Default, taken, m, nil, time.Now()))
	if len(b.settled) != 1 || b.forgot != 1 {
		t.Fatalf("settled %d times, forgotten %d times", len(b.settled), b.forgot)
	}
	return b.settled[0]
}

// field returns what a settlement writes into a field of the task's hash, empty if nothing.
func field(e queue.Settlement, name string) string {
	for i := 0; i < len(e.Fields); i += 2 {
		if e.Fields[i] == name {
			return fmt.Sprint(text(e.Fields[i+1]))
		}
	}
	return ""
}

func text(v any) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
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
	e := b.process(t, id, tasks.TypeBlockUser, validBlock, nil, queue.Taken{Attempts: 1, Deliveries: 2})
	want := `{"message_id":"layer:///messages/` + id + `"}`
	if e.Verdict != queue.VerdictDone || field(e, queue.FieldResult) != want || field(e, queue.FieldAttempts) != "2" {
		t.Errorf("%+v; want it done with result %s after 2 attempts", e, want)
	}
}

func TestPipeline_makes_no_call_for_what_is_done(t *testing.T) {
	t.Parallel()
	b := newBench(t, succeed)
	expired := map[string]string{queue.HeaderExpiresAt: queue.FormatTime(time.Now().Add(-time.Hour))}
	e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, expired, queue.Taken{Result: []byte("{}"), Attempts: 1, Deliveries: 2})
	if e.Verdict != queue.VerdictDone || len(e.Fields) > 0 || b.calls != 0 {
		t.Errorf("%+v after %d calls", e, b.calls)
	}
}

func TestPipeline_gives_up_what_keeps_killing_its_workers(t *testing.T) {
	t.Parallel()
	for crashes, want := range map[int]queue.Verdict{poisonous - 1: queue.VerdictDone, poisonous: queue.VerdictArchive} {
		b := newBench(t, succeed)
		e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil, queue.Taken{Deliveries: crashes + 1, Crashes: crashes})
		if e.Verdict != want || (want == queue.VerdictArchive) != (b.calls == 0) {
			t.Errorf("after %d crashes: %s after %d calls", crashes, e.Verdict, b.calls)
		}
		if want == queue.VerdictArchive && !strings.Contains(e.Message.ErrorMsg, "5 times in a row") {
			t.Errorf("archived for %q", e.Message.ErrorMsg)
		}
	}
}

// A worker that was stopped for longer than its lease makes no call any more, and hands the task back if nobody has it yet.
func TestPipeline_goes_no_further_with_what_is_lost(t *testing.T) {
	t.Parallel()
	g := Gate(nil)
	b := newBench(t, func(ctx context.Context) (tasks.Result, error) {
		_, err := g.Acquire(ctx)
		return tasks.Result{}, &layer.TransportError{Kind: layer.KindLimiter, Err: err}
	})
	taken := queue.Taken{ID: uuid.NewString(), Now: time.Now(), Deliveries: 1}
	m := &queue.Message{Type: tasks.TypeBlockUser, Payload: []byte(validBlock), ID: taken.ID, Queue: queue.Default}
	b.deliver(t.Context(), dequeue.NewDelivery(queue.Default, taken, m, nil, time.Now().Add(-queue.LeaseTime)))
	if b.calls != 1 || len(b.settled) != 1 || b.settled[0].Verdict != queue.VerdictBack || counted(t, b.metrics, "lost") != 1 {
		t.Errorf("%d executions, settled %v", b.calls, b.settled)
	}
}

// A call does not outlast the lease of its task.
func TestPipeline_cuts_a_call_off_when_the_lease_ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := newBench(t, func(ctx context.Context) (tasks.Result, error) {
			<-ctx.Done()
			return tasks.Result{}, &layer.TransportError{Kind: layer.KindCanceled, Err: ctx.Err()}
		})
		e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil)
		if e.Verdict != queue.VerdictBack || counted(t, b.metrics, "lost") != 1 || time.Since(start) != queue.LeaseTime {
			t.Errorf("%+v after %s", e, time.Since(start))
		}
	})
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
			e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, map[string]string{queue.HeaderExpiresAt: c.header})
			if got := e.Message.ErrorMsg; got != c.wantReason || b.calls != c.wantCalls || (got != "") != (e.Verdict == queue.VerdictArchive) {
				t.Errorf("%s, %q after %d calls, want %q after %d", e.Verdict, got, b.calls, c.wantReason, c.wantCalls)
			}
		})
	}
}

// The clocks of workers differ; whether a task expired is Redis' clock's to say.
func TestPipeline_expires_by_the_clock_of_Redis(t *testing.T) {
	t.Parallel()
	b := newBench(t, succeed)
	now := time.Now().Add(-5 * time.Minute) // the worker is 5 minutes ahead
	taken := queue.Taken{ID: uuid.NewString(), Now: now, Deliveries: 1}
	m := &queue.Message{
		Type: tasks.TypeBlockUser, Payload: []byte(validBlock), ID: taken.ID, Queue: queue.Default,
		Headers: map[string]string{queue.HeaderExpiresAt: queue.FormatTime(now.Add(time.Minute))},
	}
	b.deliver(t.Context(), dequeue.NewDelivery(queue.Default, taken, m, nil, time.Now()))
	if b.calls != 1 || b.settled[0].Verdict != queue.VerdictDone || b.settled[0].Now.Sub(now) > 10*time.Second {
		t.Errorf("%d calls, %+v", b.calls, b.settled)
	}
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
		{"an id in braces", "{aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa}", tasks.TypeBlockUser, validBlock, "dedupe UUID"},
		{"what the hook could not decode", "", dequeue.UndecodableType, "\xff", "no asynq task"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, succeed)
			id := c.id
			if id == "" {
				id = uuid.NewString()
			}
			e := b.process(t, id, c.taskType, c.payload, nil)
			if reason := e.Message.ErrorMsg; e.Verdict != queue.VerdictArchive || !strings.Contains(reason, c.want) || len(reason) > 2*maxReason {
				t.Errorf("%s: %s, want it archived because of %q", e.Verdict, reason, c.want)
			}
			if b.calls != 0 || !cmp.Equal(e.Fields, []any{queue.FieldCode, "invalid"}) {
				t.Errorf("%d calls, recorded %v", b.calls, e.Fields)
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
		{"a limit is never the last", answer(429, layer.CodeRateLimitExceeded), 2, 2, "3", "", false, true},
		{"a revoked token is never the last", answer(401, layer.CodeAuthenticationRequired), 1000, 0, "1001", "", false, true},
		{"what held cost nothing", unavailable, 1000, 0, "1001", "1", false, true},
		{"a source that fails for now", &tasks.SourceError{Temporary: true}, 1, 1, "", "2", false, false},
		{"a source that fails for ever", &tasks.SourceError{Temporary: true}, 1, 2, "", "3", true, false},
		{"an outage before costs a source nothing", &tasks.SourceError{Temporary: true}, 0, 0, "", "1", false, false},
		{"a refusal is the last at once", answer(404, layer.CodeNotFound), 0, 0, "1", "", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, failWith(c.err))
			id := uuid.NewString()
			e := b.process(t, id, tasks.TypeBlockUser, validBlock, nil, queue.Taken{Attempts: c.attempts, Failures: c.failures, Deliveries: 1001})
			if archived := e.Verdict == queue.VerdictArchive; archived != c.wantArchived {
				t.Errorf("archived: %t: %+v", archived, e)
			}
			if got := field(e, queue.FieldAttempts); got != c.wantAttempts {
				t.Errorf("%q attempts, want %q", got, c.wantAttempts)
			}
			if got := field(e, queue.FieldFailures); got != c.wantFailures {
				t.Errorf("%q failures, want %q", got, c.wantFailures)
			}
			if counted := e.Message.Retried == 1; counted != c.wantAsynqCount {
				t.Errorf("asynqmon shows a retry: %t", counted)
			}
		})
	}
}

// A task that was held, handed back or delivered again for hours waits a moment at its first failure.
func TestPipeline_backs_off_by_what_failed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		err         error
		retries     int // before
		longest     time.Duration
		wantRetries string
	}{
		{"the first failure", answer(503, layer.CodeServiceUnavailable), 0, time.Second, "1"},
		{"the third failure", answer(503, layer.CodeServiceUnavailable), 2, 4 * time.Second, "3"},
		{"no answer grows it too", failure(layer.KindConnect, 0), 1, 2 * time.Second, "2"},
		{"so does a source", &tasks.SourceError{Temporary: true}, 1, 2 * time.Second, "2"},
		{"a limit does not", answer(429, layer.CodeRateLimitExceeded), 0, time.Second, ""},
		{"nor does a revoked token", answer(401, layer.CodeAuthenticationRequired), 1, 2 * time.Second, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var most time.Duration
			for range 50 { // full jitter: of fifty waits that may last a minute, none would be so short
				b := newBench(t, failWith(c.err))
				e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil, queue.Taken{Retries: c.retries, Deliveries: 1001})
				if got := field(e, queue.FieldRetries); e.Verdict != queue.VerdictRetry || got != c.wantRetries {
					t.Fatalf("%s after %q failures, want a retry after %q", e.Verdict, got, c.wantRetries)
				}
				most = max(most, e.Wait)
			}
			if most > c.longest || most < c.longest/10 {
				t.Errorf("waits up to %v, want up to %v", most, c.longest)
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
		e := b.process(t, id, tasks.TypeDeleteMessage, deletion, nil, queue.Taken{Deliveries: deliveries})
		if done := e.Verdict == queue.VerdictDone; done != wantDone {
			t.Errorf("delivery %d: %+v", deliveries, e)
		}
	}
}

// A deletion that came back before its call, because the worker drained or the fleet was held, has removed nothing.
func TestPipeline_gives_back_a_delivery_without_a_call(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		calls   []error // what the gate's limiter says, one call after the other
		refused error   // what the execution ends with
		want    string
	}{
		{"it drains before the first call", []error{errDrained}, errDrained, "0"},
		{"the fleet is held before the first call", []error{&holds.HeldError{}}, &holds.HeldError{}, "0"},
		{"it drains between two calls", []error{nil, errDrained}, errDrained, ""},
		{"it is cut off in its call", []error{nil}, errDrained, ""},
		{"the gate was never asked", nil, errDrained, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(ctx context.Context) (tasks.Result, error) {
				for _, err := range c.calls {
					if release, err := Gate(saying{err}).Acquire(ctx); err == nil {
						release(layer.Answer{Status: 200})
					}
				}
				return tasks.Result{}, &layer.TransportError{Kind: layer.KindLimiter, Err: c.refused}
			})
			e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil)
			if e.Verdict != queue.VerdictBack || field(e, queue.FieldDeliveries) != c.want {
				t.Errorf("%+v, want it back with deliveries %q", e, c.want)
			}
		})
	}
}

// saying is a limiter that gives a permit, or an error.
type saying struct{ err error }

func (s saying) Acquire(context.Context) (func(layer.Answer), error) {
	return func(layer.Answer) {}, s.err
}

func TestPipeline_archives_a_panic(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context) (tasks.Result, error) { panic("swordfish") })
	e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil)
	if e.Verdict != queue.VerdictArchive || e.Message.ErrorMsg != "panic while executing user:block: a string" {
		t.Errorf("%+v", e)
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
	if e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, `{"v":1,"args":{"owner":"alice","user":"swordfish"}}`, nil); e.Verdict != queue.VerdictRetry {
		t.Fatalf("%+v", e)
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
