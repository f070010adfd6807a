package permits

import (
	"container/list"
	"context"

	"github.com/layerq/layerq/internal/queue"
)

type contextKey struct{}

// WithQueue returns a context whose calls are made for tasks of queue. Without
// it a call is one of queue default.
func WithQueue(ctx context.Context, queue string) context.Context {
	return context.WithValue(ctx, contextKey{}, queue)
}

// queueOf returns what [WithQueue] set.
func queueOf(ctx context.Context) string {
	if name, ok := ctx.Value(contextKey{}).(string); ok {
		return name
	}
	return queue.Default
}

// class is what a permit may be used for.
type class int

const (
	critical class = iota // only for calls of queue critical
	others                // for every call; what they may use of the limit is bounded
	classes
)

// waiter is one call that waits for its permit.
type waiter struct {
	queue string
	place *list.Element // where it waits; nil once it does not
	// permit is what it got, nil until then.
	permit *permit
	// give is called with the permit, once. It must not block.
	give func(*permit)
}

func (w *waiter) class() class {
	if w.queue == queue.Critical {
		return critical
	}
	return others
}

// waiters are the calls that wait in this process, first come first served
// within critical and within all others.
type waiters struct {
	lines [classes]list.List
	count map[string]int // by queue
}

func (q *waiters) add(w *waiter) {
	if q.count == nil {
		q.count = make(map[string]int)
	}
	q.count[w.queue]++
	w.place = q.lines[w.class()].PushBack(w)
}

func (q *waiters) remove(w *waiter) {
	q.lines[w.class()].Remove(w.place)
	w.place = nil
	q.count[w.queue]--
}

// first returns the next of a class, nil if none waits.
func (q *waiters) first(of class) *waiter {
	e := q.lines[of].Front()
	if e == nil {
		return nil
	}
	w, _ := e.Value.(*waiter) // nothing else is ever put in
	return w
}

func (q *waiters) len(of class) int { return q.lines[of].Len() }
