package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// permits is a limiter that counts what it gave and got back.
type permits struct{ given, returned int }

func (p *permits) Acquire(context.Context) (func(layer.Answer), error) {
	p.given++
	return func(layer.Answer) { p.returned++ }, nil
}

// The client asks before each attempt, the short repetitions of a call included.
func TestGate_lets_no_attempt_through_after_the_expiry(t *testing.T) {
	t.Parallel()
	behind := new(permits)
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
	err := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, map[string]string{queue.HeaderExpiresAt: queue.FormatTime(expires)})
	if !errors.Is(err, asynq.SkipRetry) || !strings.HasSuffix(err.Error(), ": it is not tried again") {
		t.Errorf("%v, want it archived as expired", err)
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
	id := uuid.NewString()
	b.sides[id] = dequeue.Delivery{Attempts: 2, Deliveries: 3, LastError: "503 service_unavailable"}
	err := b.process(t, id, tasks.TypeBlockUser, validBlock, map[string]string{queue.HeaderExpiresAt: "2026-01-02T03:04:05Z"})
	if want := "expired at 2026-01-02T03:04:05Z, after an attempt that failed: 503 service_unavailable"; textOf(err) != want || b.calls != 0 {
		t.Errorf("%v after %d calls, want %s", err, b.calls, want)
	}
}
