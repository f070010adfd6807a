package dequeue

import (
	"context"
	"slices"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// renewEvery is how often leases are renewed: one of them may fail five times before it ends.
const renewEvery = 5 * time.Second

// renewals renews the leases of what is in use, until nothing is. asynq has a count of its own of what it executes, by
// task: of two deliveries of one task in this process it forgets the second when the first is over.
func (h *Hook) renewals(rest <-chan struct{}) {
	beat := time.NewTicker(renewEvery)
	defer beat.Stop()
	for {
		select {
		case <-rest:
			return
		case <-beat.C:
			for q, held := range h.hands.leases() {
				h.renew(q, held)
			}
		}
	}
}

// renew extends leases, by Redis' clock, and tells the deliveries that are lost. Where that fails, the
// leases that were given before end in their time.
func (h *Hook) renew(q string, held []*Delivery) {
	ctx, cancel := context.WithTimeout(context.Background(), takeTimeout)
	defer cancel()
	deliveries := make([]queue.Delivery, len(held))
	for i, d := range held {
		deliveries[i] = d.Delivery()
	}
	until := time.Now().Add(queue.LeaseTime)
	lost, err := h.store.Extend(ctx, q, deliveries)
	if err != nil {
		h.opts.Log.Debug("the leases of running tasks were not renewed, it is tried again", "queue", q, "tasks", len(held), "error", err)
		return
	}
	for _, d := range held {
		if slices.Contains(lost, d.ID) {
			d.lose()
		} else {
			d.extended(until)
		}
	}
}
