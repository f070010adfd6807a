package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/permits"
	"github.com/layerq/layerq/layer"
)

// lateWait is how long a task may wait for a permit that it asks for during a
// drain, between two calls of its effect. Who waited when the drain began goes
// back at once.
const lateWait = time.Second

// Gate is what the API client of a worker asks before each HTTP attempt: a task
// that expired while an earlier attempt was under way makes no further one, and neither does one that
// is no longer this worker's. next
// is the limiter behind it, nil for none; a wait in it ends when the task expires
// or the worker drains, and is not a part of the time that an execution has. It
// is safe for concurrent use.
func Gate(next layer.Limiter) layer.Limiter { return gate{next} }

type gate struct{ next layer.Limiter }

// Acquire implements [layer.Limiter].
func (g gate) Acquire(ctx context.Context) (func(layer.Answer), error) {
	x := executionOf(ctx)
	release, err := g.acquire(ctx, x)
	if err != nil {
		x.refused.Store(true)
	}
	return release, err
}

func (g gate) acquire(ctx context.Context, x *execution) (func(layer.Answer), error) {
	release := func(layer.Answer) {}
	if g.next != nil {
		var err error
		if release, err = x.wait(ctx, g.next); err != nil {
			return nil, err
		}
	}
	// After the wait for a permit, which may be long.
	if err := x.over(); err != nil {
		release(layer.Answer{Err: layer.ErrNoAttempt})
		return nil, err
	}
	x.called.Store(true)
	x.expiry.tried.Store(true)
	failpoint.Soon(failpoint.DuringCall)
	return release, nil
}

// An execution is what the gate knows of the task whose call it lets through.
type execution struct {
	queue    string
	expiry   *expiry
	mine     func() bool     // whether the task is still this worker's; nil: yes
	draining context.Context // ends when a drain begins
	budget   *budget         // of time
	// note writes down that the execution waits for the permit of its first call, or does so no more; nil: that need not be known.
	note func(ctx context.Context, waits bool) error

	called, refused atomic.Bool // an attempt that the gate was asked for
}

// untouched tells whether the execution is known to have made no call: the gate let none through. One that never
// asked it may have made calls by another way.
func (x *execution) untouched() bool { return x.refused.Load() && !x.called.Load() }

type executionKey struct{}

func withExecution(ctx context.Context, x *execution) context.Context {
	return context.WithValue(permits.WithQueue(ctx, x.queue), executionKey{}, x)
}

// executionOf is for calls that belong to no task, too: these never expire.
func executionOf(ctx context.Context) *execution {
	if x, ok := ctx.Value(executionKey{}).(*execution); ok {
		return x
	}
	return &execution{expiry: new(expiry), draining: context.Background()}
}

// over says why no attempt is to be made any more.
func (x *execution) over() error {
	if x.mine != nil && !x.mine() && !failpoint.Without(failpoint.Fence) {
		return errLost
	}
	return x.expiry.over()
}

// wait gets a permit. It fails with the error of ctx, with errDrained, or with
// that of an expired task: without a permit in all three cases.
func (x *execution) wait(ctx context.Context, from layer.Limiter) (func(layer.Answer), error) {
	defer x.budget.pause()()
	if x.note != nil && !x.called.Load() {
		from = noted{from, x.note}
	}
	waiting, stop := x.patience(ctx)
	defer stop()
	release, err := from.Acquire(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, context.Cause(waiting)
	}
	return release, err
}

// noted is a limiter that notes while somebody waits for it. If the worker dies meanwhile, it was not the task that killed it. Without
// the note there is no permit: a call must not pass for a wait.
type noted struct {
	next layer.Limiter
	note func(ctx context.Context, waits bool) error
}

// Acquire implements [layer.Limiter].
func (n noted) Acquire(ctx context.Context) (func(layer.Answer), error) {
	if err := n.note(ctx, true); err != nil {
		return nil, err
	}
	release, err := n.next.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.note(ctx, false); err != nil {
		release(layer.Answer{Err: layer.ErrNoAttempt})
		return nil, err
	}
	return release, nil
}

// patience returns a context that ends when there is no use in waiting any more,
// with the error that says why.
func (x *execution) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	var undrain, unexpire func() bool
	if x.draining.Err() == nil {
		undrain = context.AfterFunc(x.draining, func() { end(errDrained) })
	} else {
		undrain = time.AfterFunc(lateWait, func() { end(errDrained) }).Stop
	}
	if e := x.expiry; e.at.IsZero() {
		unexpire = func() bool { return true }
	} else {
		unexpire = time.AfterFunc(e.left(), func() { end(e.error()) }).Stop
	}
	return ctx, func() { undrain(); unexpire(); end(nil) }
}

// An expiry is when a task must not be executed any more; never without a time.
type expiry struct {
	at    time.Time
	now   func() time.Time // by Redis' clock; nil: this process'
	tried atomic.Bool      // a call may have been made
	last  string           // what an earlier execution failed with, if one did
}

// over returns an error if it is too late.
func (e *expiry) over() error {
	if e.at.IsZero() || e.left() >= 0 {
		return nil
	}
	return e.error()
}

func (e *expiry) left() time.Duration {
	if e.now == nil {
		return time.Until(e.at)
	}
	return e.at.Sub(e.now())
}

func (e *expiry) error() error { return &expiredError{e.at, e.tried.Load(), e.last} }
