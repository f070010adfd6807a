package dequeue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long Redis may leave every command unanswered before that
// counts as an outage. Together with [BlockTimeout] it stays below five seconds.
const patience = 1400 * time.Millisecond

// health is what the commands of the client say about Redis.
type health struct {
	mu     sync.Mutex
	lastOK time.Time
	// down is the network's error since lastOK.
	down error
	// refused holds, per queue, the error that Redis answered the last dequeue with.
	refused map[string]error
	// waiting counts the commands without an answer, since is when one was answered last or the first began.
	waiting int
	since   time.Time
}

// begin notes that a command was sent; the function returned notes its answer.
func (h *health) begin(ctx context.Context) (end func(err error)) {
	now := time.Now()
	h.mu.Lock()
	if h.waiting == 0 {
		h.since = now
	}
	h.waiting++
	h.mu.Unlock()
	return func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.waiting--
		switch {
		case err == nil || answered(err):
			h.lastOK, h.down = time.Now(), nil
			h.since = h.lastOK
		case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrClosed), ctx.Err() != nil && time.Since(h.since) < patience:
			// The client could not ask, or the caller gave up soon: that says nothing about Redis.
		default:
			h.down = err
		}
	}
}

// dequeued notes what Redis answered a dequeue with.
func (h *health) dequeued(q string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		delete(h.refused, q)
	case answered(err):
		if h.refused == nil {
			h.refused = make(map[string]error)
		}
		h.refused[q] = err
	}
}

func (h *health) state() (time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down != nil {
		return h.lastOK, h.down
	}
	if silent := time.Since(h.since); h.waiting > 0 && silent > patience {
		return h.lastOK, fmt.Errorf("dequeue: no answer for %s: %w", silent.Round(100*time.Millisecond), context.DeadlineExceeded)
	}
	for q, err := range h.refused {
		return h.lastOK, fmt.Errorf("dequeue: queue %s: %w", q, err)
	}
	return h.lastOK, nil
}

// answered tells whether the error is a reply: Redis is there.
func answered(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}
