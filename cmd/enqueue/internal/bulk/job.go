package bulk

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/layerq/layerq/tasks"
)

// Enqueuer is what a [Job] enqueues with; [tasks.Client] is one.
type Enqueuer interface {
	Validate(t tasks.Task, opts ...tasks.Option) error
	EnqueueMany(ctx context.Context, requests []tasks.Request) ([]tasks.Answer, error)
}

// Job is one stream of tasks.
type Job struct {
	Queue Enqueuer
	// Options are for lines that do not say otherwise.
	Options []tasks.Option
	// Rejected is told of every line that is invalid or in conflict with another task, in
	// their order; not of those about which Redis did not answer, where Run fails.
	Rejected func(Rejected)
	// Progress is told how far the stream is done.
	Progress func(bytes int64, lines int)
	Log      *slog.Logger
	// Patience is how long a Redis that does not answer is asked again.
	Patience time.Duration
}

// Summary is what became of the lines. The blank ones do not count. Read is the
// sum of Enqueued, Duplicate, Invalid and Failed.
type Summary struct {
	Read      int     `json:"read"`
	Enqueued  int     `json:"enqueued"`
	Duplicate int     `json:"duplicate"` // were enqueued before
	Invalid   int     `json:"invalid"`
	Failed    int     `json:"failed"` // in conflict with another task, or Redis did not answer
	Seconds   float64 `json:"seconds"`
}

// Run enqueues the stream. The error is ctx's where it ended, an error of the
// stream, or that of a Redis that did not answer for as long as Patience; the
// Summary is right in any case. Lines that are wrong are no error.
func (j *Job) Run(ctx context.Context, in io.Reader) (Summary, error) {
	return j.each(ctx, in, j.send)
}

// Check reads the stream without enqueueing anything, and reports the invalid
// lines.
func (j *Job) Check(ctx context.Context, in io.Reader) (Summary, error) {
	return j.each(ctx, in, func(_ context.Context, b *batch, sum *Summary) error {
		for i, r := range b.requests {
			if err := j.Queue.Validate(r.Task, r.Options...); err != nil {
				b.reject(b.numbers[i], below("", err).Error())
				sum.Invalid++
			}
			sum.Read++
		}
		return nil
	})
}

// each hands the stream over, batch by batch.
func (j *Job) each(ctx context.Context, in io.Reader, work func(context.Context, *batch, *Summary) error) (sum Summary, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := time.Now()
	defer func() {
		const millis = 1000
		sum.Seconds = math.Round(time.Since(started).Seconds()*millis) / millis
	}()
	p := &parser{defaults: j.Options, now: time.Now}
	batches := p.batches(ctx, in)
	for {
		select {
		case <-ctx.Done():
			return sum, ctx.Err()
		case b, open := <-batches:
			if !open {
				return sum, ctx.Err()
			}
			sum.Read += len(b.rejected)
			sum.Invalid += len(b.rejected)
			err := work(ctx, b, &sum)
			j.report(b)
			if err != nil {
				return sum, err
			}
			if j.Progress != nil {
				j.Progress(b.offset, sum.Read)
			}
			switch {
			case errors.Is(b.err, io.EOF):
				return sum, nil
			case b.err != nil:
				return sum, b.err
			}
		}
	}
}

// report tells of the lines of a batch that were not enqueued, in their order.
func (j *Job) report(b *batch) {
	slices.SortFunc(b.rejected, func(a, b Rejected) int { return a.Line - b.Line })
	for _, r := range b.rejected {
		if j.Rejected != nil {
			j.Rejected(r)
		}
	}
}
