package dequeue

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// lookEvery is how often a process looks at a queue at least. An idle one does by itself.
const lookEvery = 4 * time.Second

// looked takes over what a look at a queue told.
func (h *Hook) looked(w *waiter, found queue.Taken, err error) {
	w.last.Store(time.Now().UnixNano())
	h.health.dequeued(w.queue, err)
	h.outages.dequeued(w.queue, err)
	if err != nil {
		return
	}
	h.ahead.Store(int64(found.Now.Sub(time.Now().Round(0))))
	for _, id := range found.Dropped {
		h.opts.Log.Warn("removed an id without a task from the queue", "task_id", id, "queue", w.queue)
	}
	if found.Found == queue.FoundIdle && found.Left >= 0 {
		w.hint(time.Now().Add(found.Left))
	}
}

// watch looks after the queues that nobody in this process takes tasks of, because all are busy, or kept away: tasks of
// dead workers must run again in time all the same.
func (h *Hook) watch(ctx context.Context) {
	beat := time.NewTicker(lookEvery / 4)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			for _, w := range h.waiters() {
				if time.Since(time.Unix(0, w.last.Load())) >= lookEvery {
					ctx, cancel := context.WithTimeout(ctx, takeTimeout)
					found, err := h.store.Look(ctx, w.queue)
					cancel()
					h.looked(w, found, err)
				}
			}
		}
	}
}

func (h *Hook) waiters() []*waiter {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.byName))
}
