package dequeue

import (
	"context"
	"sync"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// Delivery is a task in this process' hands.
type Delivery struct {
	queue.Taken
	Queue string
	// Message is what the worker gets to see, see normalize.
	Message *queue.Message
	// Pass is the valve's, nil without one.
	Pass Pass

	began time.Time // before the task was asked for, by this process' clock
	lost  context.Context
	lose  context.CancelFunc

	mu    sync.Mutex
	until time.Time // the lease does not end before
}

// NewDelivery returns the delivery of a task that was taken just now; began is when it was asked for.
func NewDelivery(q string, t queue.Taken, m *queue.Message, pass Pass, began time.Time) *Delivery {
	d := &Delivery{Taken: t, Queue: q, Message: m, Pass: pass, began: began, until: began.Add(queue.LeaseTime)}
	d.lost, d.lose = context.WithCancel(context.Background())
	return d
}

// Now is Redis' clock, as far as this process can tell: the clocks of workers differ.
func (d *Delivery) Now() time.Time { return d.Taken.Now.Add(time.Since(d.began)) }

// Lost ends when it is known that the task is no longer this process', or when the
// delivery is done.
func (d *Delivery) Lost() context.Context { return d.lost }

// Mine tells whether the task is certainly still this process'. A process that was
// stopped for longer than a lease learns it here, before it is told.
func (d *Delivery) Mine() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost.Err() == nil && time.Now().Before(d.until)
}

func (d *Delivery) extended(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = until
}

// hands are the deliveries on their way through asynq, and in the worker's hands.
type hands struct {
	mu     sync.Mutex
	byName map[handle]*Delivery
}

// handle names a task: programs without layerq may use an id in two queues, as
// two producers may of a Redis Cluster.
type handle struct{ queue, id string }

// put adds a delivery. One that asynq never handed over is replaced when the task is taken again.
func (h *hands) put(d *Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byName == nil {
		h.byName = make(map[handle]*Delivery)
	}
	h.byName[handle{d.Queue, d.ID}] = d
}

func (h *hands) get(q, id string) *Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byName[handle{q, id}]
}

// drop removes this delivery, and not a later one of the same task.
func (h *hands) drop(d *Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name := (handle{d.Queue, d.ID}); h.byName[name] == d {
		delete(h.byName, name)
	}
}
