package bulk

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/tasks"
)

// tryTimeout is how long Redis may take for one batch. It is not shorter, as a
// Redis that writes its log to a slow disk stops for seconds.
const tryTimeout = 10 * time.Second

// send enqueues a batch, again and again for those of its tasks about which
// Redis did not answer. Every task has a key or an id, so that is safe.
func (j *Job) send(ctx context.Context, b *batch, sum *Summary) error {
	t := try{job: j, batch: b, sum: sum, started: time.Now()}
	for i := range b.requests {
		t.open = append(t.open, i)
	}
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond),
		backoff.WithMaxInterval(2*time.Second),
		backoff.WithMaxElapsedTime(j.Patience),
	)
	for len(t.open) > 0 {
		err := t.once(ctx)
		if err == nil {
			continue
		}
		pause := pauses.NextBackOff()
		if pause == backoff.Stop || redischeck.Hopeless(err) || ctx.Err() != nil {
			sum.Read += len(t.open)
			sum.Failed += len(t.open)
			return errors.Join(ctx.Err(), err)
		}
		if t.tries == 1 {
			j.Log.Warn("redis did not answer, trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	if t.tries > 1 {
		j.Log.Info("redis answers again", slog.Duration("took", time.Since(t.started)))
	}
	return nil
}

// try is a batch on its way.
type try struct {
	job     *Job
	batch   *batch
	sum     *Summary
	started time.Time
	tries   int
	open    []int // the places of requests without an answer
	own     map[uuid.UUID]bool
}

// once asks Redis for answers. A signal does not cut it off: then one would not
// know what is in.
func (t *try) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTimeout)
	defer cancel()
	t.tries++
	requests := make([]tasks.Request, len(t.open))
	for i, place := range t.open {
		requests[i] = t.batch.requests[place]
	}
	answers, err := t.job.Queue.EnqueueMany(ctx, requests)
	var open []int
	for i, answer := range answers {
		if _, unknown := errors.AsType[*tasks.RedisError](answer.Err); unknown {
			open = append(open, t.open[i])
			continue
		}
		t.count(t.batch.numbers[t.open[i]], answer)
	}
	t.open = open
	return err
}

// count adds one answer to the summary.
func (t *try) count(line int, answer tasks.Answer) {
	t.sum.Read++
	_, invalid := errors.AsType[*tasks.InvalidError](answer.Err)
	switch {
	case invalid:
		t.sum.Invalid++
		t.batch.reject(line, below("", answer.Err).Error())
	case answer.Err != nil:
		t.sum.Failed++
		t.batch.reject(line, strings.TrimPrefix(answer.Err.Error(), "tasks: "))
	case answer.Info.Duplicate && !t.ours(answer.Info):
		t.sum.Duplicate++
	default:
		t.sum.Enqueued++
	}
}

// ours tells a duplicate of what this batch enqueued itself, in a try whose
// answer was lost. Of several lines with one id, the first is meant.
func (t *try) ours(info *tasks.Info) bool {
	if t.tries == 1 || info.EnqueuedAt.Before(t.started) || t.own[info.ID] {
		return false
	}
	if t.own == nil {
		t.own = map[uuid.UUID]bool{}
	}
	t.own[info.ID] = true
	return true
}
