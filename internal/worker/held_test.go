package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// asProbe is the pass of a task that finds out whether a hold may end.
type asProbe struct{}

func (asProbe) Probe() bool { return true }
func (asProbe) Any() bool   { return false }
func (asProbe) Release()    {}

// A probe that fails says nothing about its task: it costs no attempt, and the task is soon there again, however often it
// failed before the hold.
func TestProbe_costs_its_task_nothing(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"503":                  answer(503, layer.CodeServiceUnavailable),
		"503 with Retry-After": &layer.Error{Status: 503, RetryAfter: 10 * time.Second},
		"429":                  answer(429, layer.CodeRateLimitExceeded),
		"401":                  answer(401, layer.CodeAuthenticationRequired),
		"302":                  answer(302, ""),
		"no answer":            failure(layer.KindTimeout, 0),
		"held in between":      fmt.Errorf("send: %w", &holds.HeldError{Reason: holds.Outage}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(context.Context) (tasks.Result, error) { return tasks.Result{}, err })
			taken := queue.Taken{ID: uuid.NewString(), Now: time.Now(), Deliveries: 8, Attempts: 2, Failures: 2, Retries: 6}
			m := &queue.Message{Type: "user:block", Payload: []byte(validBlock), ID: taken.ID, Queue: queue.Default, Retention: 60}
			b.deliver(t.Context(), dequeue.NewDelivery(queue.Default, taken, m, asProbe{}, time.Now()))
			e := b.settled[0]
			if e.Verdict != queue.VerdictRetry || e.Counts || e.Message.Retried != 0 {
				t.Errorf("%+v", e)
			}
			for _, name := range []string{queue.FieldAttempts, queue.FieldFailures, queue.FieldRetries} {
				if got := field(e, name); got != "" {
					t.Errorf("%s becomes %q", name, got)
				}
			}
			if asked, _ := layer.RetryAfter(err); e.Wait > asked+b.delay.least {
				t.Errorf("waits %s", e.Wait)
			}
		})
	}
}
