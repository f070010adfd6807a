package tasks

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
)

// QueueInfo is what a queue holds, by state. Its JSON is that of
// "enqueue queues --json".
type QueueInfo struct {
	Queue string

	Pending, Waiting, Scheduled, Active, Retry, Archived, Completed int

	// Latency is how long the oldest pending task has been pending.
	Latency time.Duration
	// Paused says that somebody paused it by hand: no worker takes tasks from it until somebody
	// resumes it, also when a hold beside that is over.
	Paused bool
	// Held is not nil while no worker takes tasks from it until a time, paused or not.
	Held *Hold
}

// Hold is a pause that ends by itself. Reason is empty if another program made it.
type Hold struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// MarshalJSON writes the keys of "enqueue queues --json".
func (q QueueInfo) MarshalJSON() ([]byte, error) {
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
		q.Queue, q.Pending, q.Waiting, q.Scheduled, q.Active, q.Retry, q.Archived, q.Completed,
		q.Latency.Seconds(), q.Paused, q.Held,
	})
}

// Queues returns what the three queues hold, the most important first. The
// error is a [*RedisError].
func (c *Client) Queues(ctx context.Context) ([]QueueInfo, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	infos, err := c.store.Queues(ctx)
	if err != nil {
		return nil, c.redisError(ctx, uuid.Nil, err)
	}
	queues := make([]QueueInfo, len(infos))
	for i, info := range infos {
		queues[i] = queueInfoOf(info)
	}
	return queues, nil
}

func queueInfoOf(i queue.Info) QueueInfo {
	return QueueInfo{
		Queue:   i.Queue,
		Pending: i.Pending, Waiting: i.Waiting, Scheduled: i.Scheduled, Active: i.Active,
		Retry: i.Retry, Archived: i.Archived, Completed: i.Completed,
		Latency: i.Latency, Paused: i.Paused, Held: holdOf(i.Held),
	}
}

func holdOf(h *queue.Hold) *Hold {
	if h == nil {
		return nil
	}
	return &Hold{Reason: h.Reason, Until: h.Until}
}
