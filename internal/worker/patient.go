package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/redis/go-redis/v9"
)

// patiently repeats something while it fails with errors that pass, until ctx ends. The error is the last one.
func patiently(ctx context.Context, passes func(error) bool, try func() error) error {
	var last error // that was not for want of time
	err := backoff.Retry(func() error {
		err := try()
		if err != nil && !passes(err) {
			return backoff.Permanent(err)
		}
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			last = err
		}
		return err
	}, backoff.WithContext(backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(20*time.Millisecond),
		backoff.WithMaxInterval(time.Second),
		backoff.WithMaxElapsedTime(0), // the context is the bound
	), ctx))
	if err != nil && last != nil && ctx.Err() != nil {
		return last
	}
	return err
}

// whileOpen reports whether a command may succeed later, whatever it was answered: somebody may give back to a user what was
// taken from it, and a Redis may come back before its users do.
func whileOpen(err error) bool { return !errors.Is(err, redis.ErrClosed) }

// passing are the beginnings of answers that Redis gives for a while: when it
// starts, fails over, moves a slot, runs a long script, or is short of memory, disk, replicas or connections.
var passing = []string{
	"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY",
	"OOM", "MISCONF", "NOREPLICAS", "ERR max number of clients",
}

// mayPass reports whether a command may succeed later without anybody's doing: Redis did not answer, or
// said that it cannot for now.
func mayPass(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return whileOpen(err)
	}
	said := reply.Error()
	return slices.ContainsFunc(passing, func(begin string) bool {
		// Redis 6.2 puts words of its own before what a command in a script was answered.
		return strings.HasPrefix(said, begin) || strings.Contains(said, ": -"+begin)
	})
}
