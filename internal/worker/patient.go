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

// patiently repeats something until it succeeds, returns a backoff.Permanent
// error, or ctx ends.
func patiently(ctx context.Context, try func() error) error {
	return backoff.Retry(try, backoff.WithContext(backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(20*time.Millisecond),
		backoff.WithMaxInterval(time.Second),
		backoff.WithMaxElapsedTime(0), // the context is the bound
	), ctx))
}

// patientAcks is a go-redis hook that repeats asynq's acknowledgements (done,
// retry, archive, requeue) while Redis is away, as long as the task's lease
// lasts. asynq means to repeat them itself, but does so with a context that it
// has cancelled by then: the task would be delivered again a minute or two
// later, and only then, thanks to its result, be done.
type patientAcks struct{}

// DialHook implements redis.Hook.
func (patientAcks) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (patientAcks) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (patientAcks) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil || !isAck(cmd) || !mayPass(err) {
			return err
		}
		last := err
		if patiently(ctx, func() error {
			last = next(ctx, cmd)
			if last != nil && !mayPass(last) {
				return backoff.Permanent(last)
			}
			return last
		}) == nil {
			return nil
		}
		if isGone(last) { // it was carried out, and its answer lost
			return nil
		}
		return last
	}
}

// isAck recognises asynq's scripts that end a delivery: their first key is the
// list of active tasks, or it follows that of a task.
func isAck(cmd redis.Cmder) bool {
	args := cmd.Args()
	const firstKey = 3 // evalsha, digest, number of keys
	if len(args) < firstKey+4 || (cmd.Name() != "evalsha" && cmd.Name() != "eval") {
		return false
	}
	first, _ := args[firstKey].(string)
	second, _ := args[firstKey+1].(string)
	return isActiveKey(first) || isActiveKey(second) && strings.Contains(first, "}:t:")
}

func isActiveKey(key string) bool {
	return strings.HasPrefix(key, "asynq:{") && strings.HasSuffix(key, "}:active")
}

// passing are the beginnings of answers that Redis gives for a while: when it
// starts, fails over, or runs a long script.
var passing = []string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "OOM"}

// mayPass reports whether a command may succeed later: Redis did not answer, or
// said that it cannot for now.
func mayPass(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return !errors.Is(err, redis.ErrClosed)
	}
	return slices.ContainsFunc(passing, func(begin string) bool { return strings.HasPrefix(reply.Error(), begin) })
}

// isGone reports whether asynq's script found that the task is active no more.
func isGone(err error) bool { return strings.Contains(err.Error(), "NOT FOUND") }
