package dequeue

import "sync"

// Delivery is what the task's hash held, beside the message, when the task was handed out.
type Delivery struct {
	// Result is what an earlier execution left behind, nil if nothing: the task was done already.
	Result []byte
	// Attempts counts the executions that Layer answered.
	Attempts int
	// Failures counts the executions that used up one of the attempts it may have.
	Failures int
	// LastError is what the last execution failed with, empty if none did.
	LastError string
	// Deliveries counts how often the task was handed out, this time included.
	Deliveries int
}

// maxDeliveries bounds what is kept for tasks that nobody asks about. A server
// has at most as many tasks in hand as it runs at once.
const maxDeliveries = 10_000

// deliveries keeps the side data of tasks on their way through asynq.
type deliveries struct {
	mu   sync.Mutex
	byID map[string]Delivery
}

func (d *deliveries) put(id string, v Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byID == nil {
		d.byID = make(map[string]Delivery)
	}
	if _, ok := d.byID[id]; !ok && len(d.byID) >= maxDeliveries {
		for other := range d.byID {
			delete(d.byID, other)
			break
		}
	}
	d.byID[id] = v
}

func (d *deliveries) take(id string) (Delivery, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.byID[id]
	delete(d.byID, id)
	return v, ok
}
