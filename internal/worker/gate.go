package worker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/layerq/layerq/layer"
)

// Gate is what the API client of a worker asks before each HTTP attempt: a task
// that expired while an earlier attempt was under way makes no further one. next
// is the limiter behind it, nil for none. It is safe for concurrent use.
func Gate(next layer.Limiter) layer.Limiter { return gate{next} }

type gate struct{ next layer.Limiter }

// Acquire implements [layer.Limiter].
func (g gate) Acquire(ctx context.Context) (func(layer.Answer), error) {
	release := func(layer.Answer) {}
	if g.next != nil {
		var err error
		if release, err = g.next.Acquire(ctx); err != nil {
			return nil, err
		}
	}
	// After the wait for a permit, which may be long.
	e := expiryOf(ctx)
	if err := e.over(time.Now()); err != nil {
		release(layer.Answer{Err: err})
		return nil, err
	}
	e.tried.Store(true)
	return release, nil
}

// An expiry is when a task must not be executed any more; never without a time.
type expiry struct {
	at    time.Time
	tried atomic.Bool // a call may have been made
	last  string      // what an earlier execution failed with, if one did
}

// over returns an error if it is too late.
func (e *expiry) over(now time.Time) error {
	if e.at.IsZero() || !now.After(e.at) {
		return nil
	}
	return &expiredError{e.at, e.tried.Load(), e.last}
}

type expiryKey struct{}

func withExpiry(ctx context.Context, e *expiry) context.Context {
	return context.WithValue(ctx, expiryKey{}, e)
}

// expiryOf is for calls that belong to no task, too: these never expire.
func expiryOf(ctx context.Context) *expiry {
	if e, ok := ctx.Value(expiryKey{}).(*expiry); ok {
		return e
	}
	return new(expiry)
}
