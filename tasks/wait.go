package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

const (
	// minPoll is the first interval of Wait: a task that is executed at once is
	// done after a few milliseconds.
	minPoll = 10 * time.Millisecond
	// maxPoll is the longest, so that thousands of waiting callers are bearable
	// and nobody waits noticeably longer than needed.
	maxPoll = 250 * time.Millisecond
)

// Wait returns the task once it is finished: completed, with its result, or
// archived, with the reason as Error. Archived is no error of Wait.
//
// It asks Redis in growing intervals, 10 to 250 ms, until ctx ends; then it
// returns what it saw last together with an error that wraps ctx's. Where the
// task is not there, or vanishes meanwhile because it was deleted or its
// retention is over, the error is [ErrNotFound].
func (c *Client) Wait(ctx context.Context, id uuid.UUID) (*Info, error) {
	var last *Info
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := minPoll; ; pause = min(pause*3/2, maxPoll) {
		select {
		case <-ctx.Done():
			return last, waitError(ctx, id, last)
		case <-timer.C:
		}
		info, err := c.Status(ctx, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return last, waitError(ctx, id, last)
		case err != nil:
			return last, err
		case info.State.Final():
			return info, nil
		}
		last = info
		timer.Reset(pause)
	}
}

func waitError(ctx context.Context, id uuid.UUID, last *Info) error {
	if last == nil {
		return fmt.Errorf("tasks: waiting for %s: %w", id, ctx.Err())
	}
	return fmt.Errorf("tasks: waiting for %s, which is %s: %w", id, last.State, ctx.Err())
}
