package worker

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/tasks"
)

// A pipeline is what happens to a task between asynq and Layer. It is the
// asynq.Handler of every queue.
type pipeline struct {
	hook    sideData
	perform func(ctx context.Context, id uuid.UUID, t tasks.Task, delivery int) (tasks.Result, error)
	records *recorder
	delay   retryDelay
	metrics *Metrics
	flight  *flight
	log     *slog.Logger

	maxAttempts int
	timeout     func(tasks.Task) time.Duration // of one execution
	draining    context.Context                // ends when a drain begins
	cutoff      context.Context                // ends when a drain has waited long enough
}

// sideData is what the dequeue hook knows of a task beside its message.
type sideData interface {
	Delivery(id string) (dequeue.Delivery, bool)
}

// ProcessTask takes one task its whole way. What it returns tells asynq where
// the task goes: nil completes it, *again retries it, *archived archives it.
func (p *pipeline) ProcessTask(ctx context.Context, t *asynq.Task) error {
	d := p.receive(ctx, t)
	defer p.flight.enter(d.queue)()
	start := time.Now()

	result, err := p.execute(ctx, d)
	switch {
	case d.marked:
		p.metrics.finished(d, "done_before", time.Since(start))
		d.log.Info("task was done before, its acknowledgement got lost")
		return nil
	case p.isCutOff(err):
		return p.handBack(ctx, d)
	}
	return p.settle(ctx, d, result, err, time.Since(start))
}

// execute is one execution, without what follows from it.
func (p *pipeline) execute(ctx context.Context, d *delivery) (result tasks.Result, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{d.taskType, value, debug.Stack()}
		}
	}()
	if d.marked { // before all else: what is done is done, expired or not
		return result, nil
	}
	expiry, err := d.expiry()
	if err != nil {
		return result, err
	}
	if err := expiry.over(time.Now()); err != nil {
		return result, err
	}
	id, task, err := d.decode()
	if err != nil {
		return result, err
	}
	x := &execution{queue: d.queue, expiry: expiry, draining: p.draining}
	return p.call(ctx, x, id, task, d.deliveries)
}

// call executes the effect, bounded in time, and cut off when a drain has waited
// long enough.
func (p *pipeline) call(ctx context.Context, x *execution, id uuid.UUID, task tasks.Task, delivery int) (tasks.Result, error) {
	ctx, budget, cancel := withBudget(ctx, p.timeout(task))
	defer cancel()
	x.budget = budget
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	defer context.AfterFunc(p.cutoff, func() { cut(errDrained) })()
	result, err := p.perform(withExecution(ctx, x), id, task, delivery)
	if delivery > 1 && tasks.TookEffect(task, err) {
		// An earlier execution got through, and its answer was lost.
		return tasks.Result{}, nil
	}
	if expired, ok := errors.AsType[*expiredError](err); ok {
		return tasks.Result{}, expired // the gate's, without the client's words around it
	}
	return result, err
}

// settle records what an execution came to, and tells asynq.
func (p *pipeline) settle(ctx context.Context, d *delivery, result tasks.Result, err error, took time.Duration) error {
	v := decide(err)
	code := codeLabel(err)
	if v.counts {
		d.attempts++
		p.metrics.attempted(d, code)
	}
	log := d.log.With("attempt", d.attempts, "code", code, "took", took)
	spent := spends(v, err)
	if spent {
		if d.failures++; d.failures >= p.maxAttempts {
			v.outcome, err = archive, &exhaustedError{d.failures, err}
		}
	}
	p.metrics.finished(d, outcomeLabel(v.outcome, err), took)

	switch v.outcome {
	case done:
		p.records.success(ctx, d, result)
		log.Debug("task done")
		return nil
	case retry, hold:
		if v.counts || spent {
			p.records.attempt(ctx, d)
		}
		next := &again{reasonOf(err), p.delay.after(d.deliveries, err), v.counts}
		log.Info("task will be retried", "wait", next.wait, "error", next.reason)
		return next
	default:
		if v.counts || spent {
			p.records.attempt(ctx, d)
		}
		reason := reasonOf(err)
		if panicked, ok := errors.AsType[*panicError](err); ok {
			log.Error("task panicked", "stack", string(panicked.stack))
		}
		log.Warn("task archived", "error", reason)
		return &archived{reason}
	}
}

// isCutOff reports whether an execution ended because the worker drains: it still
// waited for its permit, or nobody answered and the drain had waited long
// enough. So nothing is known, and nothing is counted.
func (p *pipeline) isCutOff(err error) bool {
	if errors.Is(err, errDrained) {
		return true
	}
	v := decide(err)
	return p.cutoff.Err() != nil && v.outcome == retry && !v.counts
}

// handBack leaves a task to asynq, which puts it to the front of its queue, as it
// was, when its own shutdown timeout is over. asynq does so whether or not
// the handler still runs; so the call has ended when this begins, and asynq is
// done when the context ends.
func (p *pipeline) handBack(ctx context.Context, d *delivery) error {
	p.metrics.finished(d, "handed_back", 0)
	d.log.Info("task goes back to its queue, the worker stops")
	<-ctx.Done()
	return errHandedBack
}
