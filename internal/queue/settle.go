package queue

import (
	"context"
	"fmt"
	"time"
)

// Verdict is what becomes of a task after a delivery.
type Verdict string

// The verdicts.
const (
	// VerdictDone completes the task, and keeps its result for its retention.
	VerdictDone Verdict = "done"
	// VerdictRetry runs the task again after a wait.
	VerdictRetry Verdict = "retry"
	// VerdictArchive keeps the task for a person.
	VerdictArchive Verdict = "archive"
	// VerdictBack puts the task back to where it was taken from, the front of its queue, as
	// if it had not been taken.
	VerdictBack Verdict = "back"
)

// Settlement says how a delivery ended.
type Settlement struct {
	Delivery
	Queue   string
	Verdict Verdict
	// Message is how the task is stored from now on; not used by VerdictBack.
	Message *Message
	// Wait is how long a retry waits. It is rounded up to a full second of Redis' clock.
	Wait time.Duration
	// Fields are written into the task's hash: names and values.
	Fields []any
	// Counts says that the execution shows in asynq's counts of the day.
	Counts bool
	// Now is the time that asynq's counts go by.
	Now time.Time
}

// statsTTL is how long asynq keeps its counts of a day.
const statsTTL = 90 * 24 * time.Hour

// Settle ends a delivery: it notes what it came to, moves the task on, and lets the
// next one of its lane run, in one step. It may be repeated.
//
// mine is false if the delivery was not the caller's any more, because its lease ended and
// somebody else may have taken the task, or because an earlier call had ended it. Then nothing moves;
// of a task that is done, the fields are written all the same if there is no result yet: whoever has
// the task learns that nothing is left to do. But not if the task was deleted, and its id enqueued again.
func (s *Store) Settle(ctx context.Context, e Settlement) (mine bool, err error) {
	args := make([]any, 10, 10+len(e.Fields))
	args[0], args[1] = Prefix(e.Queue), ownPrefix(e.Queue)
	args[2], args[3], args[4], args[5], args[6], args[7], args[8], args[9] = e.ID, e.Token, string(e.Verdict), "", 0, "", 0, ""
	switch e.Verdict {
	case VerdictDone:
		args[5], args[6], args[9] = e.Message.Encode(), max(e.Message.Retention, 1), e.Message.Headers[HeaderEnqueuedAt]
	case VerdictRetry:
		args[5], args[6] = e.Message.Encode(), e.Wait.Milliseconds()
	case VerdictArchive:
		args[5] = e.Message.Encode()
	case VerdictBack:
	}
	if e.Counts {
		args[7], args[8] = e.Now.UTC().Format(":2006-01-02"), e.Now.Add(statsTTL).Unix()
	}
	args = append(args, e.Fields...)
	n, err := runOne(ctx, s.rdb, settleScript.now(), call{keys: []string{TaskKey(e.Queue, e.ID)}, args: args}).Int()
	if err != nil {
		return false, fmt.Errorf("queue: settle task %s: %w", e.ID, err)
	}
	return n == 1, nil
}
