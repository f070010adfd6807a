package tasks

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// State is where a task is on its way.
type State string

// The states: a task is pending, scheduled or waiting when it is enqueued, is active while
// it is executed, in retry between attempts, and ends completed or archived.
const (
	StatePending   State = "pending"   // runnable: the next free worker takes it
	StateWaiting   State = "waiting"   // behind an earlier task of its lane
	StateScheduled State = "scheduled" // not to run before its time
	StateActive    State = "active"    // a worker has it
	StateRetry     State = "retry"     // an attempt failed; the next one is due later
	StateCompleted State = "completed" // done; kept until its retention is over
	StateArchived  State = "archived"  // given up, or invalid: kept for a person
)

// Final tells whether a task in this state is finished: it leaves the state by
// itself no more.
func (s State) Final() bool { return s == StateCompleted || s == StateArchived }

// Info is what is known of a task. Its JSON is that of "enqueue --json": times
// in RFC 3339, members without a value left out.
type Info struct {
	// ID is the task's dedupe UUID.
	ID    uuid.UUID `json:"id"`
	Type  string    `json:"type"`
	Queue string    `json:"queue"`
	State State     `json:"state"`

	// Duplicate says, of an enqueued task, that it was there already; State
	// and the other fields are those of the task that was found.
	Duplicate bool `json:"duplicate"`
	// Attempts counts those that Layer answered, but for probes of a hold that failed.
	Attempts int `json:"attempts"`

	EnqueuedAt    time.Time `json:"enqueued_at,omitzero"`
	NextAttemptAt time.Time `json:"next_attempt_at,omitzero"` // when scheduled or in retry
	CompletedAt   time.Time `json:"completed_at,omitzero"`
	ArchivedAt    time.Time `json:"archived_at,omitzero"`

	// Result is what the task made, once it is completed; see [Info.DecodeResult].
	Result json.RawMessage `json:"result,omitempty"`
	// Error is why the last attempt failed, or why the task was archived.
	Error string `json:"error,omitempty"`
	// Code says in one word why the task was archived: Layer's code, such as
	// "not_found", or "expired", "invalid", "poison" and the like; "by_hand" where somebody archived it.
	Code string `json:"code,omitempty"`
}

// DecodeResult returns Result as a [Result]. Where there is none it is zero.
func (i *Info) DecodeResult() (Result, error) {
	var r Result
	if len(i.Result) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(i.Result, &r); err != nil {
		return Result{}, fmt.Errorf("tasks: result of %s: %w", i.ID, err)
	}
	return r, nil
}
