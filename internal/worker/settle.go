package worker

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// A settler writes down what a delivery came to, and moves the task on, in one
// step. It is patient: a failure of Redis must not make a worker forget that
// the effect took place.
type settler struct {
	hook     deliveries
	patience time.Duration   // how long one is tried
	cutoff   context.Context // of the drain: from then on there is little time left
	left     atomic.Int64    // how many could not be written down
}

// deliveries is the dequeue hook, which handed the tasks out.
type deliveries interface {
	Delivery(queue, id string) *dequeue.Delivery
	Settle(ctx context.Context, d *dequeue.Delivery, e queue.Settlement) (mine bool, err error)
	Waits(ctx context.Context, d *dequeue.Delivery, waits bool) error
	Done(d *dequeue.Delivery)
}

// done completes a task. Its result is the mark that no delivery of it makes a call any more.
func (s *settler) done(ctx context.Context, d *delivery, result tasks.Result) bool {
	encoded, err := json.Marshal(result)
	if err != nil {
		// A result is made of ids: this cannot happen. If it did, the task would
		// be done all the same.
		encoded = []byte("{}")
	}
	e := s.settlement(d, queue.VerdictDone)
	e.Message.CompletedAt = e.Now.Unix()
	if !d.marked && !failpoint.Without(failpoint.Marker) {
		e.Fields = []any{
			queue.FieldResult, encoded, queue.FieldAttempts, d.attempts, queue.FieldDoneAt, queue.FormatTime(e.Now),
		}
	}
	return s.settle(ctx, d, e)
}

// retry runs a task again after a wait.
func (s *settler) retry(ctx context.Context, d *delivery, reason string, wait time.Duration, counts bool) bool {
	e := s.failed(d, queue.VerdictRetry, reason)
	e.Wait, e.Counts = wait, counts
	if counts {
		e.Message.Retried++
	}
	return s.settle(ctx, d, e)
}

// archive keeps a task for a person.
func (s *settler) archive(ctx context.Context, d *delivery, reason, code string) bool {
	e := s.failed(d, queue.VerdictArchive, reason)
	e.Fields = append(e.Fields, queue.FieldCode, code)
	return s.settle(ctx, d, e)
}

// back puts a task to the front of its queue, as it was.
func (s *settler) back(ctx context.Context, d *delivery) bool {
	return s.settle(ctx, d, queue.Settlement{Verdict: queue.VerdictBack, Fields: d.counts()})
}

func (s *settler) failed(d *delivery, v queue.Verdict, reason string) queue.Settlement {
	e := s.settlement(d, v)
	e.Message.ErrorMsg, e.Message.LastFailedAt = reason, e.Now.Unix()
	e.Fields = d.counts()
	return e
}

func (s *settler) settlement(d *delivery, v queue.Verdict) queue.Settlement {
	m := *d.Message
	return queue.Settlement{Verdict: v, Message: &m, Now: d.Now(), Counts: true}
}

// counts are the fields that this delivery has changed.
func (d *delivery) counts() []any {
	var fields []any
	if d.attempts != d.Attempts {
		fields = append(fields, queue.FieldAttempts, d.attempts)
	}
	if d.failures != d.Failures {
		fields = append(fields, queue.FieldFailures, d.failures)
	}
	if d.retries != d.Retries {
		fields = append(fields, queue.FieldRetries, d.retries)
	}
	if d.execution != nil && d.execution.untouched() {
		// The next delivery is the first that makes a call: what it does not find was not removed by this one.
		fields = append(fields, queue.FieldDeliveries, d.Deliveries-1)
	}
	return fields
}

// settle returns whether what became of the task is written down.
func (s *settler) settle(ctx context.Context, d *delivery, e queue.Settlement) bool {
	// Not bound to asynq's context: a lost lease does not undo what was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	defer context.AfterFunc(s.cutoff, func() {
		timer := time.AfterFunc(settleTime, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})()
	var mine bool
	err := patiently(ctx, whileOpen, func() (err error) {
		if mine, err = s.hook.Settle(ctx, d.Delivery, e); failpoint.Without(failpoint.Patience) && err != nil {
			return backoff.Permanent(err)
		}
		return err
	})
	failpoint.Reach(failpoint.AfterAck, d.Message.Payload)
	log := d.log.With("attempt", d.attempts, "verdict", string(e.Verdict))
	switch {
	case err != nil:
		s.left.Add(1)
		log.Error("what became of the task could not be written down: it runs again, under the same dedupe UUID, when its lease ends", "error", err)
	case !mine:
		log.Debug("the task was settled before, or is no longer this worker's")
	}
	return err == nil
}
