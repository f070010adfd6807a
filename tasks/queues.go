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
	// Paused says that no worker takes tasks from it, by hand or held.
	Paused bool
	// Held is not nil while the queue is paused until a time, with the reason.
	Held *Hold
}

// Hold is a pause that ends by itself.
type Hold struct {
	Reason string
	Until  time.Time
}

// MarshalJSON writes the keys of "enqueue queues --json".
func (q QueueInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(q.internal())
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
	q := QueueInfo{
		Queue:   i.Queue,
		Pending: i.Pending, Waiting: i.Waiting, Scheduled: i.Scheduled, Active: i.Active,
		Retry: i.Retry, Archived: i.Archived, Completed: i.Completed,
		Latency: i.Latency, Paused: i.Paused,
	}
	if i.Held != nil {
		q.Held = &Hold{Reason: i.Held.Reason, Until: i.Held.Until}
	}
	return q
}

func (q QueueInfo) internal() queue.Info {
	i := queue.Info{
		Queue:   q.Queue,
		Pending: q.Pending, Waiting: q.Waiting, Scheduled: q.Scheduled, Active: q.Active,
		Retry: q.Retry, Archived: q.Archived, Completed: q.Completed,
		Latency: q.Latency, Paused: q.Paused,
	}
	if q.Held != nil {
		i.Held = &queue.Hold{Reason: q.Held.Reason, Until: q.Held.Until}
	}
	return i
}
