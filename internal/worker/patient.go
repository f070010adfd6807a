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
// starts, fails over, runs a long script, or has no room in its memory or on its disk.
var passing = []string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "OOM", "MISCONF"}

// mayPass reports whether a command may succeed later: Redis did not answer, or
// said that it cannot for now.
func mayPass(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return !errors.Is(err, redis.ErrClosed)
	}
	return slices.ContainsFunc(passing, func(begin string) bool { return strings.HasPrefix(reply.Error(), begin) })
}
