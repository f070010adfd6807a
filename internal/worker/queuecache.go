package worker

import (
	"context"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// cacheTime keeps several scrapers and open start pages from counting queues
// more often than anybody can look.
const cacheTime = 2 * time.Second

// A queueCache counts what the queues hold, at most once in cacheTime.
type queueCache = look[[]queue.Info]

func newQueueCache(count func(context.Context) ([]queue.Info, error)) *queueCache {
	return &queueCache{ask: count, keep: cacheTime}
}

// Queues returns what all queues hold, not older than two seconds. It returns when
// ctx ends at the latest.
func (w *Worker) Queues(ctx context.Context) ([]queue.Info, error) { return w.queues.get(ctx) }

// InFlight returns how many tasks of a queue this worker is executing.
func (w *Worker) InFlight(name string) int { return w.flight.now(name) }
