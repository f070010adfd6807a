package dequeue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// outages logs an outage once when it begins and once when it is over.
type outages struct {
	log *slog.Logger

	mu     sync.Mutex
	since  time.Time       // of the outage under way, zero if there is none
	failed map[string]bool // queues whose last dequeue failed
}

func (o *outages) dequeued(q string, err error) {
	if errors.Is(err, redis.ErrClosed) || errors.Is(err, context.Canceled) {
		return // the process is ending
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		delete(o.failed, q)
		if !o.since.IsZero() && len(o.failed) == 0 {
			o.log.Info("redis is back, tasks are taken again", "took", time.Since(o.since).Round(time.Millisecond))
			o.since = time.Time{}
		}
		return
	}
	if o.failed == nil {
		o.failed = make(map[string]bool)
	}
	o.failed[q] = true
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Error("redis fails, no task is taken", "queue", q, "error", err)
	}
}

func (o *outages) wakeUp(q string, lost bool, err error) {
	if lost {
		o.log.Warn("waiting for tasks fails, the queue is polled", "queue", q, "error", err)
		return
	}
	o.log.Info("waiting for tasks works again", "queue", q)
}
