package worker

import (
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/layer"
)

// A retryDelay says how long a task waits between two executions.
type retryDelay struct{ least, most time.Duration }

// after returns the wait after the n-th failed execution of a task, n from 1: anything between nothing and least*2^(n-1), at most most (full jitter: the
// retries of an outage do not come back as one wave). What Layer asked for in
// Retry-After is waited at least, as long as it holds the fleet.
func (d retryDelay) after(n int, err error) time.Duration {
	wait := d.jittered(n)
	if asked, ok := layer.RetryAfter(err); ok {
		// The jitter goes on top: those who were told the same do not come back
		// together.
		wait += min(asked, holds.Longest)
	}
	return wait
}

// jittered winds a backoff forward to its n-th value: the count is in Redis, as
// each execution may be another worker's.
func (d retryDelay) jittered(n int) time.Duration {
	// backoff/v4 spreads a value over itself plus and minus a factor of it: half
	// the interval and a factor of 1 give anything between nothing and all of it.
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(max(d.least/2, 1)),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1),
		backoff.WithMaxInterval(max(d.most/2, 1)),
		backoff.WithMaxElapsedTime(0),
	)
	wait := b.NextBackOff()
	// 63 doublings of anything reach any longest wait.
	for range min(n, 64) - 1 {
		wait = b.NextBackOff()
	}
	return min(wait, d.most)
}
