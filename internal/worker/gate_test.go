package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// tally is a limiter that counts what it gave and got back.
type tally struct{ given, returned int }

func (p *tally) Acquire(context.Context) (func(layer.Answer), error) {
	p.given++
	return func(layer.Answer) { p.returned++ }, nil
}

// The client asks before each attempt, the short repetitions of a call included.
func TestGate_lets_no_attempt_through_after_the_expiry(t *testing.T) {
	t.Parallel()
	behind := new(tally)
	g := Gate(behind)
	expires := time.Now().Add(200 * time.Millisecond)
	b := newBench(t, func(ctx context.Context) (tasks.Result, error) {
		for {
			release, err := g.Acquire(ctx)
			if err != nil {
				return tasks.Result{}, &layer.TransportError{Kind: layer.KindLimiter, Err: err}
			}
			release(layer.Answer{Status: 503})
		}
	})
	e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, map[string]string{queue.HeaderExpiresAt: queue.FormatTime(expires)})
	if e.Verdict != queue.VerdictArchive || !strings.HasSuffix(e.Message.ErrorMsg, ": it is not tried again") {
		t.Errorf("%+v, want it archived as expired", e)
	}
	if behind.given < 2 || behind.given != behind.returned {
		t.Errorf("%d permits given, %d returned", behind.given, behind.returned)
	}
}

func TestGate_lets_calls_pass_that_belong_to_no_task(t *testing.T) {
	t.Parallel()
	release, err := Gate(nil).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	release(layer.Answer{Status: 200})
}

func TestPipeline_tells_of_an_expired_task_what_failed_before(t *testing.T) {
	t.Parallel()
	b := newBench(t, succeed)
	want := "expired at 2026-01-02T03:04:05Z, after an attempt that failed: 503 service_unavailable"
	taken := queue.Taken{ID: uuid.NewString(), Now: time.Now(), Attempts: 2, Deliveries: 3}
	m := &queue.Message{
		Type: tasks.TypeBlockUser, Payload: []byte(validBlock), ID: taken.ID, Queue: queue.Default, ErrorMsg: "503 service_unavailable",
		Headers: map[string]string{queue.HeaderExpiresAt: "2026-01-02T03:04:05Z"},
	}
	b.deliver(t.Context(), dequeue.NewDelivery(queue.Default, taken, m, nil, time.Now()))
	if e := b.settled[0]; e.Message.ErrorMsg != want || b.calls != 0 {
		t.Errorf("%+v after %d calls, want %s", e, b.calls, want)
	}
}

// A suspect may be what kills its workers: while it waits for its first call it is not. Others cost no round trip for that.
func TestGate_notes_that_a_suspect_waits(t *testing.T) {
	t.Parallel()
	for crashes, want := range map[int][]bool{queue.Suspect - 1: nil, queue.Suspect: {true, false}} {
		behind := new(tally)
		g := Gate(behind)
		b := newBench(t, func(ctx context.Context) (tasks.Result, error) {
			for range 3 { // the short repetitions of a call
				release, err := g.Acquire(ctx)
				if err != nil {
					return tasks.Result{}, err
				}
				release(layer.Answer{Status: 503})
			}
			return tasks.Result{}, nil
		})
		e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil, queue.Taken{Deliveries: crashes + 1, Crashes: crashes})
		if e.Verdict != queue.VerdictDone || behind.given != 3 || !slices.Equal(b.waits, want) {
			t.Errorf("%d crashes: %s after %d calls, noted %v, want %v", crashes, e.Verdict, behind.given, b.waits, want)
		}
	}
}

// A call that passes for a wait would never be counted, whatever it does to its worker.
func TestGate_lets_no_call_through_whose_wait_is_noted_still(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for _, failing := range []bool{true, false} {
		behind := new(tally)
		x := &execution{expiry: new(expiry), draining: t.Context(), note: func(_ context.Context, waits bool) error {
			if waits == failing {
				return refused
			}
			return nil
		}}
		if _, err := Gate(behind).Acquire(withExecution(t.Context(), x)); !errors.Is(err, refused) || behind.given != behind.returned {
			t.Errorf("%v, %d permits given, %d returned", err, behind.given, behind.returned)
		}
	}
}

// patient is a limiter that has nothing to give, and tells when somebody waits.
type patient struct{ waiting chan string }

func newPatient() *patient { return &patient{make(chan string, 10)} }

func (p *patient) Acquire(ctx context.Context) (func(layer.Answer), error) {
	p.waiting <- "waits"
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestGate_ends_the_wait_of_a_task_that_expires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := &execution{expiry: &expiry{at: time.Now().Add(time.Hour)}, draining: t.Context()}
		_, err := Gate(newPatient()).Acquire(withExecution(t.Context(), x))
		if _, ok := errors.AsType[*expiredError](err); !ok || time.Since(x.expiry.at) != 0 {
			t.Errorf("%v at %s, want an expired task at %s", err, time.Now(), x.expiry.at)
		}
	})
}

func TestGate_ends_waits_when_the_worker_drains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		draining, drain := context.WithCancel(t.Context())
		x := &execution{expiry: new(expiry), draining: draining}
		start := time.Now()
		time.AfterFunc(time.Minute, drain)
		if _, err := Gate(newPatient()).Acquire(withExecution(t.Context(), x)); !errors.Is(err, errDrained) || time.Since(start) != time.Minute {
			t.Errorf("who waits when the drain begins: %v after %s, want errDrained after a minute", err, time.Since(start))
		}
		start = time.Now()
		if _, err := Gate(newPatient()).Acquire(withExecution(t.Context(), x)); !errors.Is(err, errDrained) || time.Since(start) != lateWait {
			t.Errorf("who comes later: %v after %s, want errDrained after %s", err, time.Since(start), lateWait)
		}
		if _, err := Gate(new(tally)).Acquire(withExecution(t.Context(), x)); err != nil {
			t.Errorf("who comes later and need not wait: %v", err)
		}
	})
}

func TestGate_says_what_ended_the_callers_context(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	behind := newPatient()
	go func() {
		<-behind.waiting
		cancel()
	}()
	x := &execution{expiry: new(expiry), draining: t.Context()}
	if _, err := Gate(behind).Acquire(withExecution(ctx, x)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
}

func TestGate_gives_back_what_an_expired_task_got(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var answer layer.Answer
		slow := limiterFunc(func(context.Context) (func(layer.Answer), error) {
			<-time.After(time.Minute) // and does not notice that the context ends
			return func(a layer.Answer) { answer = a }, nil
		})
		x := &execution{expiry: &expiry{at: time.Now().Add(time.Second)}, draining: t.Context()}
		_, err := Gate(slow).Acquire(withExecution(t.Context(), x))
		if _, ok := errors.AsType[*expiredError](err); !ok || !errors.Is(answer.Err, layer.ErrNoAttempt) {
			t.Errorf("%v, released with %v", err, answer.Err)
		}
	})
}

type limiterFunc func(context.Context) (func(layer.Answer), error)

func (f limiterFunc) Acquire(ctx context.Context) (func(layer.Answer), error) { return f(ctx) }

// A limit of one call an hour makes a task wait longer than an execution may take.
func TestBudget_does_not_run_while_a_task_waits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, b, cancel := withBudget(t.Context(), time.Minute)
		defer cancel()
		<-time.After(20 * time.Second)
		first, second := b.pause(), b.pause()
		<-time.After(time.Hour)
		first()
		<-time.After(time.Hour)
		second()
		start := time.Now()
		<-ctx.Done()
		if took := time.Since(start); took != 40*time.Second || !errors.Is(context.Cause(ctx), errTimeout) {
			t.Errorf("ended %s after the wait with %v, want 40 s of the minute left", took, context.Cause(ctx))
		}
	})
}
