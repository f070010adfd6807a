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
	until time.Time   // the lease does not end before
	over  *time.Timer // loses the delivery then
}

// NewDelivery returns the delivery of a task that was taken just now; began is when it was asked for.
func NewDelivery(q string, t queue.Taken, m *queue.Message, pass Pass, began time.Time) *Delivery {
	d := &Delivery{Taken: t, Queue: q, Message: m, Pass: pass, began: began, until: began.Add(queue.LeaseTime)}
	lost, lose := context.WithCancel(context.Background())
	d.over = time.AfterFunc(time.Until(d.until), lose)
	d.lost, d.lose = lost, func() { d.over.Stop(); lose() }
	return d
}

// Now is Redis' clock, as far as this process can tell: the clocks of workers differ.
func (d *Delivery) Now() time.Time { return d.Taken.Now.Add(time.Since(d.began)) }

// Lost ends when it is known that the task is no longer this process', when its lease may have ended, or when the
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
	if d.lost.Err() == nil {
		d.until = until
		d.over.Reset(time.Until(until))
	}
}

// hands are the deliveries on their way through asynq, and in the worker's hands.
type hands struct {
	mu     sync.Mutex
	byName map[handle]*Delivery
	inUse  map[*Delivery]struct{} // in the worker's hands: it has got them, and is not done
	rest   chan struct{}          // closed when nothing is in use any more; nil while nothing is
}

// handle names a task as asynq does: programs without layerq may use an id in two queues, as
// two producers may of a Redis Cluster.
type handle struct{ queue, id string }

func (d *Delivery) handle() handle { return handle{d.Queue, nameOf(d.ID)} }

// put adds a delivery. An earlier one of the same task is lost: Redis has given the task out again. It is returned if nobody
// has claimed it, or will.
func (h *hands) put(d *Delivery) (unclaimed *Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byName == nil {
		h.byName, h.inUse = make(map[handle]*Delivery), make(map[*Delivery]struct{})
	}
	name := d.handle()
	if before := h.byName[name]; before != nil {
		before.lose()
		if _, claimed := h.inUse[before]; !claimed {
			unclaimed = before
		}
	}
	h.byName[name] = d
	return unclaimed
}

// claim hands a delivery over, once. It returns nil if there is none. Where nothing was in use before, renew is started
// with a channel that is closed when nothing is any more.
func (h *hands) claim(q, id string, renew func(rest <-chan struct{})) *Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.byName[handle{q, id}]
	if d == nil {
		return nil
	}
	if _, claimed := h.inUse[d]; claimed {
		return nil
	}
	h.inUse[d] = struct{}{}
	if h.rest == nil {
		h.rest = make(chan struct{})
		go renew(h.rest)
	}
	return d
}

// leases returns the deliveries in use whose leases are to be renewed, by queue. What asynq never hands over is left
// to the end of its lease.
func (h *hands) leases() map[string][]*Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	byQueue := make(map[string][]*Delivery)
	for d := range h.inUse {
		if d.lost.Err() == nil {
			byQueue[d.Queue] = append(byQueue[d.Queue], d)
		}
	}
	return byQueue
}

// drop removes this delivery, and not a later one of the same task.
func (h *hands) drop(d *Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name := d.handle(); h.byName[name] == d {
		delete(h.byName, name)
	}
	delete(h.inUse, d)
	if len(h.inUse) == 0 && h.rest != nil {
		close(h.rest)
		h.rest = nil
	}
}
