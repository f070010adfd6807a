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
	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// poisonous is after how many crashes in a row a task is given up: it may be what
// kills its workers.
const poisonous = 5

// A pipeline is what happens to a task between asynq and Layer. It is the
// asynq.Handler of every queue.
type pipeline struct {
	perform func(ctx context.Context, id uuid.UUID, t tasks.Task, delivery int) (tasks.Result, error)
	settler *settler
	delay   retryDelay
	metrics *Metrics
	flight  *flight
	log     *slog.Logger

	maxAttempts int
	timeout     func(tasks.Task) time.Duration // of one execution
	draining    context.Context                // ends when a drain begins
	cutoff      context.Context                // ends when a drain has waited long enough
}

// ProcessTask takes one task its whole way. It settles the task itself, so that
// what asynq does about it afterwards is nothing: see package dequeue.
func (p *pipeline) ProcessTask(ctx context.Context, t *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	q, _ := asynq.GetQueueName(ctx)
	d := p.settler.hook.Delivery(q, id)
	if d == nil {
		// Nothing is known of it, so it is left to the end of its lease.
		p.log.Error("a task was handed over that was not taken, it is left alone", "task_id", id, "type", t.Type())
		return nil
	}
	p.deliver(ctx, d)
	return nil
}

func (p *pipeline) deliver(ctx context.Context, side *dequeue.Delivery) {
	d := p.receive(side)
	defer p.settler.hook.Done(side)
	defer p.flight.enter(d.Queue)()
	start := time.Now()

	result, err := p.execute(ctx, d)
	failpoint.Reach(failpoint.AfterCall, d.Message.Payload)
	p.settle(ctx, d, result, err, time.Since(start))
}

// execute is one execution, without what follows from it.
func (p *pipeline) execute(ctx context.Context, d *delivery) (result tasks.Result, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{d.Message.Type, value, debug.Stack()}
		}
	}()
	if d.marked && !failpoint.Without(failpoint.Marker) { // before all else: what is done is done, expired or not
		return result, errDoneBefore
	}
	if d.Crashes >= poisonous && !failpoint.Without(failpoint.Poison) {
		return result, &poisonError{d.Crashes}
	}
	expiry, err := d.expiry()
	if err != nil {
		return result, err
	}
	if err := expiry.over(); err != nil {
		return result, err
	}
	id, task, err := d.decode()
	if err != nil {
		return result, err
	}
	ctx, cut := context.WithCancelCause(withPass(ctx, d.Pass))
	defer cut(nil)
	defer context.AfterFunc(d.Lost(), func() { cut(errLost) })()
	if failpoint.Without(failpoint.Fence) {
		ctx = context.WithoutCancel(ctx) // asynq ends it, too
	}
	x := &execution{queue: d.Queue, expiry: expiry, mine: d.Mine, draining: p.draining}
	if d.Crashes >= queue.Suspect {
		x.note = func(ctx context.Context, waits bool) error { return p.settler.hook.Waits(ctx, d.Delivery, waits) }
	}
	d.execution = x
	failpoint.Reach(failpoint.BeforeCall, d.Message.Payload)
	return p.call(ctx, x, id, task, d.Deliveries)
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
	if delivery > 1 && tasks.TookEffect(task, err) && !failpoint.Without(failpoint.Repeats) {
		// An earlier execution got through, and its answer was lost.
		return tasks.Result{}, nil
	}
	if expired, ok := errors.AsType[*expiredError](err); ok {
		return tasks.Result{}, expired // the gate's, without the client's words around it
	}
	if v := decide(err); v.outcome == retry && !v.counts {
		// Nobody answered. If that is because the execution was ended, its end says more.
		if cause := context.Cause(ctx); errors.Is(cause, errLost) || errors.Is(cause, errDrained) {
			return tasks.Result{}, cause
		}
	}
	return result, err
}

// settle writes down what an execution came to.
func (p *pipeline) settle(ctx context.Context, d *delivery, result tasks.Result, err error, took time.Duration) {
	v, code := decide(err), codeLabel(err)
	if v.counts {
		p.metrics.attempted(d, code)
	}
	v = d.judge(v, err)
	if v.counts {
		d.attempts++
	}
	spent := spends(v, err)
	if spent {
		if d.failures++; d.failures >= p.maxAttempts {
			v.outcome, err = archive, &exhaustedError{d.failures, err}
		}
	}
	p.metrics.finished(d, outcomeLabel(v.outcome, err), took)
	log := d.log.With("attempt", d.attempts, "code", code, "took", took)
	level := slog.LevelInfo
	if isHeld(err) { // many at once, and the hold has its own line
		level = slog.LevelDebug
	}

	switch v.outcome {
	case done:
		if p.settler.done(ctx, d, result) {
			log.Debug("task done")
		}
	case doneBefore:
		if p.settler.done(ctx, d, result) {
			log.Info("task was done before, which could not be written down then")
		}
	case retry, hold:
		n := 1 // nothing is wrong with a task because of a hold
		if v.outcome == retry {
			d.retries++
			n = d.retries
		}
		wait, reason := p.delay.after(n, err), reasonOf(err)
		if p.settler.retry(ctx, d, reason, wait, v.counts) {
			log.Log(ctx, level, "task will be retried", "wait", wait, "error", reason)
		}
	case handBack:
		if !failpoint.Without(failpoint.HandBack) && p.settler.back(ctx, d) {
			log.Log(ctx, level, "task goes back to its queue", "reason", reasonOf(err))
		}
	case abandon:
		log.Warn("the task is no longer this worker's, its lease ended: it is left to whoever has it now")
		// Where nobody has it yet, Redis was away for longer than a lease: that is no crash of the task's.
		p.settler.back(ctx, d)
	case archive:
		if panicked, ok := errors.AsType[*panicError](err); ok {
			log.Error("task panicked", "stack", string(panicked.stack))
		}
		reason := reasonOf(err)
		if p.settler.archive(ctx, d, reason, code) {
			log.Warn("task archived", "error", reason)
		}
	}
}
