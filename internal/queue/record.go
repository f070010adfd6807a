package queue

import "time"

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
	// CompletedAt is zero unless the task is completed.
	CompletedAt time.Time
	// PendingSince is zero unless the task is pending; asynq does not always note it.
	PendingSince time.Time
}
