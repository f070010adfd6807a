package queue

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// State is where a task is on its way.
type State string

// The states of a task. All but Waiting are asynq's.
const (
	Pending   State = "pending"
	Waiting   State = "waiting" // behind an earlier task of its lane
	Scheduled State = "scheduled"
	Active    State = "active"
	Retry     State = "retry"
	Completed State = "completed"
	Archived  State = "archived"
)

// Record is what Redis holds of one task.
type Record struct {
	// Message is never nil.
	Message *Message
	State   State
	// Result is what the execution left behind, nil if nothing.
	Result []byte
	// Attempts counts the executions that Layer answered.
	Attempts int
	// NextProcessAt is when a scheduled or retrying task can run; zero in every other state.
	NextProcessAt time.Time
	// EnqueuedAt is the producer's time; zero if the producer was not layerq.
	EnqueuedAt time.Time
	// CompletedAt is zero unless the task is completed. It is by the worker's
	// clock, but never before EnqueuedAt: the producer's may be ahead.
	CompletedAt time.Time
	// ArchivedAt is zero unless the task is archived.
	ArchivedAt time.Time
	// Code says in one word what an archived task ended with; empty where that is not known.
	Code string
	// Lane is empty for a task without one.
	Lane string
}

var errReply = errors.New("queue: unexpected reply of a script")

// newRecord reads the array that record.lua returns.
func newRecord(reply any) (*Record, error) {
	fields, ok := reply.([]any)
	if !ok || len(fields) != 8 {
		return nil, errReply
	}
	text := func(i int) string {
		s, _ := fields[i].(string) // nil for a field that is not there
		return s
	}
	msg, err := DecodeMessage([]byte(text(0)))
	if err != nil {
		return nil, err
	}
	r := &Record{Message: msg, State: State(text(1)), EnqueuedAt: msg.EnqueuedAt()}
	if s := text(2); s != "" {
		r.Result = []byte(s)
	}
	if s := text(3); s != "" {
		if r.Attempts, err = strconv.Atoi(s); err != nil {
			return nil, fmt.Errorf("queue: field %s of task %s: %w", FieldAttempts, msg.ID, err)
		}
	}
	r.Lane = text(5)
	at := unixSeconds(text(7))
	switch r.State {
	case Scheduled, Retry:
		if r.NextProcessAt = at; !at.Before(parkedAt) {
			r.State, r.NextProcessAt = Waiting, time.Time{}
		}
	case Archived:
		r.ArchivedAt, r.Code = at, text(6)
	case Completed:
		r.CompletedAt = completedAt(text(4), msg)
		if r.CompletedAt.Before(r.EnqueuedAt) {
			r.CompletedAt = r.EnqueuedAt
		}
	case Pending, Waiting, Active:
	}
	return r, nil
}

// completedAt is when a completed task was done; asynq notes whole seconds.
func completedAt(doneAt string, msg *Message) time.Time {
	if t, err := ParseTime(doneAt); err == nil {
		return t
	}
	if msg.CompletedAt == 0 {
		return time.Time{}
	}
	return time.Unix(msg.CompletedAt, 0)
}

// unixNano reads asynq's pending_since; the zero time if it is missing or no number.
func unixNano(s string) time.Time {
	ns, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ns <= 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// unixSeconds reads the score of a sorted set, which is a whole number where
// layerq or asynq wrote it.
func unixSeconds(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || math.Abs(f) > math.MaxInt32*1000 {
		return time.Time{}
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(frac*1e9))
}
