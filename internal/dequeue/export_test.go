package dequeue

import (
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// DequeueOf tells whether cmd is asynq's dequeue script, and of which queue.
func DequeueOf(cmd redis.Cmder) (q string, ok bool) { return dequeueOf(cmd) }

// Stand tells whether cmd is a script of asynq's that the hook stands in for.
func Stand(cmd redis.Cmder) bool { return stand(cmd) }

// Renewal tells whether cmd is asynq's renewal of leases.
func Renewal(cmd redis.Cmder) bool { return renewal(cmd) }

// Expiry tells whether cmd is asynq's removal of completed tasks.
func Expiry(cmd redis.Cmder) bool {
	_, ok := expiry(cmd)
	return ok
}

// IsTake tells whether cmd is our own look for a task.
func IsTake(cmd redis.Cmder) bool {
	keys, argv, ok := scriptCall(cmd)
	return ok && len(keys) == 1 && len(argv) == 6 && isKey(keys[0], "pending")
}

// Normalize is what asynq gets instead of an encoded message.
func Normalize(encoded, id, q string, retention time.Duration) (m *queue.Message, stands bool) {
	return normalize(encoded, id, q, retention)
}

// Hands counts the deliveries that are not done.
func (h *Hook) Hands() int {
	h.hands.mu.Lock()
	defer h.hands.mu.Unlock()
	return len(h.hands.byName)
}

// InUse counts the deliveries that the worker has got, and that are not done.
func (h *Hook) InUse() int {
	h.hands.mu.Lock()
	defer h.hands.mu.Unlock()
	return len(h.hands.inUse)
}

// Age makes a delivery believe that its lease was renewed so much earlier.
func (d *Delivery) Age(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = d.until.Add(-by)
}

// Took is what a look does that found a task.
func (h *Hook) Took(d *Delivery) { h.took(d) }
