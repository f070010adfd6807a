package dequeue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// SHA is the digest of our script.
var SHA = sha

// MaxDeliveries bounds the side data.
const MaxDeliveries = maxDeliveries

// DequeueRequest tells whether cmd is asynq's dequeue script, and of which queue.
func DequeueRequest(cmd redis.Cmder) (q string, ok bool) {
	req, ok := dequeueRequest(cmd)
	return req.queue, ok
}

// RetryAt tells whether cmd is asynq's retry script, and when the task is due.
func RetryAt(cmd redis.Cmder) (q string, at time.Time, ok bool) { return retryAt(cmd) }

// Taken is what one run of the script did.
type Taken struct {
	Outcome, ID string
	Dropped     []string
	Left        time.Duration
	Delivery    Delivery
}

// Take runs the script once, as the hook does.
func Take(ctx context.Context, rdb redis.UniversalClient, q string) (Taken, error) {
	lease := time.Now().Add(30 * time.Second).Unix()
	r, err := run(ctx, rdb.Process, request{queue: q, lease: lease})
	return Taken{string(r.outcome), r.id, r.dropped, r.left, r.delivery}, err
}

// Normalize is what asynq gets instead of an encoded message.
func Normalize(encoded, id, q string, retention time.Duration) (m *queue.Message, stands bool) {
	return normalize(encoded, id, q, retention)
}

// Put stores side data as a delivery does.
func (h *Hook) Put(id string, d Delivery) { h.handed.put(id, d) }

// Kept counts the side data that nobody asked for.
func (h *Hook) Kept() int {
	h.handed.mu.Lock()
	defer h.handed.mu.Unlock()
	return len(h.handed.byID)
}
