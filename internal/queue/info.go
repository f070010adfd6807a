package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Info is what one queue holds. It marshals as `enqueue queues --json` prints it.
type Info struct {
	Queue string
	// How many tasks there are in each state.
	Pending, Waiting, Scheduled, Active, Retry, Archived, Completed int
	// Latency is how long the task that is next has been pending; 0 if there is
	// none, or if asynq did not note since when (after a run by hand, say).
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

// Queues counts all of [Names], in that order, in one round trip. A queue that
// was never used is all zeros.
func (s *Store) Queues(ctx context.Context) ([]Info, error) {
	calls := make([]call, len(Names))
	for i, q := range Names {
		calls[i] = call{
			keys: []string{
				PendingKey(q), ActiveKey(q), ScheduledKey(q), RetryKey(q), ArchivedKey(q), CompletedKey(q), PausedKey(q),
			},
			args: []any{TaskKey(q, "")},
		}
	}
	infos := make([]Info, len(Names))
	now := time.Now()
	for i, result := range runAll(ctx, s.rdb, statsScript, calls, nil) {
		reply, err := result.Slice()
		if err == nil {
			infos[i], err = newInfo(Names[i], reply, now)
		}
		if err != nil {
			return nil, fmt.Errorf("queue: count queue %s: %w", Names[i], err)
		}
	}
	return infos, nil
}

// newInfo reads the array that stats.lua returns.
func newInfo(name string, reply []any, now time.Time) (Info, error) {
	if len(reply) != 9 {
		return Info{}, errReply
	}
	var n [7]int
	for i := range n {
		v, ok := reply[i].(int64)
		if !ok {
			return Info{}, errReply
		}
		n[i] = int(v)
	}
	info := Info{Queue: name, Pending: n[0], Active: n[1], Scheduled: n[2], Retry: n[3], Archived: n[4], Completed: n[5]}
	switch left := n[6]; {
	case left >= 0:
		reason, _ := reply[7].(string)
		info.Paused = true
		info.Held = &Hold{Reason: reason, Until: now.Add(time.Duration(left) * time.Millisecond)}
	case left == -1:
		info.Paused = true
	}
	if since, ok := reply[8].(string); ok {
		if at := unixNano(since); !at.IsZero() {
			info.Latency = max(0, now.Sub(at))
		}
	}
	return info, nil
}
