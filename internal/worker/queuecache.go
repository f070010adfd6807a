package worker

import (
	"context"
	"sync"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

const (
	// cacheTime keeps several scrapers and open start pages from counting queues
	// more often than anybody can look.
	cacheTime = 2 * time.Second
	// countTimeout is the longest that a scrape waits for the sizes.
	countTimeout = 2 * time.Second
)

// A queueCache counts what the queues hold, at most once in cacheTime.
type queueCache struct {
	count func(context.Context) ([]queue.Info, error)

	mu    sync.Mutex // also held while counting: the others wait for that count
	at    time.Time
	infos []queue.Info
	err   error
}

func newQueueCache(store *queue.Store) *queueCache {
	return &queueCache{count: store.Queues}
}

func (c *queueCache) get(ctx context.Context) ([]queue.Info, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < cacheTime {
		return c.infos, c.err
	}
	// What the others wait for does not end with the first who asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTimeout)
	defer cancel()
	c.infos, c.err = c.count(ctx)
	c.at = time.Now()
	return c.infos, c.err
}

// Queues returns what all queues hold, not older than two seconds.
func (w *Worker) Queues(ctx context.Context) ([]queue.Info, error) { return w.queues.get(ctx) }

// InFlight returns how many tasks of a queue this worker is executing.
func (w *Worker) InFlight(name string) int { return w.flight.now(name) }
