package queue

import (
	"encoding/json"
	"time"
)

// Info is what one queue holds. It marshals as `enqueue queues --json` prints it.
type Info struct {
	Queue string
	// How many tasks there are in each state.
	Pending, Waiting, Scheduled, Active, Retry, Archived, Completed int
	// Latency is how long the oldest pending task has been pending, 0 if there is none.
	Latency time.Duration
	// Paused tells whether no worker takes tasks, by hand or held.
	Paused bool
	// Held is nil unless the pause ends by itself.
	Held *Hold
}

// Hold is a pause with an end.
type Hold struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// MarshalJSON renders the object of the queues command.
func (i Info) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Queue     string  `json:"queue"`
		Pending   int     `json:"pending"`
		Waiting   int     `json:"waiting"`
		Scheduled int     `json:"scheduled"`
		Active    int     `json:"active"`
		Retry     int     `json:"retry"`
		Archived  int     `json:"archived"`
		Completed int     `json:"completed"`
		Latency   float64 `json:"latency_seconds"`
		Paused    bool    `json:"paused"`
		Held      *Hold   `json:"held,omitempty"`
	}{
		i.Queue, i.Pending, i.Waiting, i.Scheduled, i.Active, i.Retry, i.Archived, i.Completed,
		i.Latency.Seconds(), i.Paused, i.Held,
	})
}
