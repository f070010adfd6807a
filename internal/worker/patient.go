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

// patiently repeats something while Redis does not answer, or says that it cannot for now, until ctx ends.
func patiently(ctx context.Context, try func() error) error {
	return backoff.Retry(func() error {
		err := try()
		if err != nil && !mayPass(err) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(20*time.Millisecond),
		backoff.WithMaxInterval(time.Second),
		backoff.WithMaxElapsedTime(0), // the context is the bound
	), ctx))
}

// passing are the beginnings of answers that Redis gives for a while: when it
// starts, fails over, moves a slot, runs a long script, or is short of memory, disk, replicas or connections.
var passing = []string{
	"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY",
	"OOM", "MISCONF", "NOREPLICAS", "ERR max number of clients",
}

// mayPass reports whether a command may succeed later: Redis did not answer, or
// said that it cannot for now.
func mayPass(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return !errors.Is(err, redis.ErrClosed)
	}
	said := reply.Error()
	return slices.ContainsFunc(passing, func(begin string) bool {
		// Redis 6.2 puts words of its own before what a command in a script was answered.
		return strings.HasPrefix(said, begin) || strings.Contains(said, ": -"+begin)
	})
}
