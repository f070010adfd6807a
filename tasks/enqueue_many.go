package tasks

import (
	"cmp"
	"context"
	"errors"

	"github.com/layerq/layerq/internal/queue"
)

const (
	// batchTasks bounds the tasks of one round trip: enough to make the way to
	// Redis cheap, few enough not to keep it from others for long.
	batchTasks = 500

	// batchBytes bounds their payloads, as one may have 256 KiB.
	batchBytes = 4 << 20
)

// Request is one task for [Client.EnqueueMany], with its options.
type Request struct {
	Task    Task
	Options []Option
}

// Answer tells what became of one [Request]: Info as from [Client.Enqueue], or
// its error.
type Answer struct {
	Info *Info
	Err  error
}

// EnqueueMany enqueues tasks in the order of the list, in a few round trips
// however many they are. It returns one answer for each request, in the same
// order; a task that is invalid, or in conflict, does not stop the others. Two
// equal tasks of one list with the same key are one: the second is a duplicate.
//
// The error is not nil only if Redis could not be asked about some of them, or
// ctx ended; their answers have a [*RedisError] with their ID. After a round
// trip without any answer the rest is not tried, and what comes after a task that Redis refused, in its lane,
// is not enqueued. So calling again with the same list keeps the order of lanes; it is safe for
// requests with a [Key] or [ID]: those that got through are duplicates.
func (c *Client) EnqueueMany(ctx context.Context, requests []Request) ([]Answer, error) {
	b := batch{client: c, answers: make([]Answer, len(requests)), stopped: make(map[laneKey]bool)}
	for i, r := range requests {
		p, err := c.prepare(r.Task, r.Options)
		if err != nil {
			b.answers[i].Err = err
			continue
		}
		if b.full(p) {
			b.send(ctx)
		}
		if b.stopped[p.lane()] {
			b.answers[i].Err = c.redisError(ctx, p.order.id, errNotTried)
			continue
		}
		b.add(i, p)
	}
	b.send(ctx)
	return b.answers, b.failed
}

// batch is what goes to Redis in one round trip.
type batch struct {
	client  *Client
	answers []Answer         // of all requests
	failed  error            // the first of a task about which Redis could not be asked
	down    error            // why a whole round trip failed
	stopped map[laneKey]bool // a task of it was not enqueued

	tasks  []prepared
	places []int // of tasks in answers
	bytes  int
}

// laneKey is what a task must keep its order in.
type laneKey struct{ queue, name string }

func (p prepared) lane() laneKey { return laneKey{p.entry.Message.Queue, p.entry.Lane} }

func (b *batch) full(next prepared) bool {
	return len(b.tasks) == batchTasks || b.bytes+len(next.entry.Message.Payload) > batchBytes
}

func (b *batch) add(place int, p prepared) {
	b.tasks = append(b.tasks, p)
	b.places = append(b.places, place)
	b.bytes += len(p.entry.Message.Payload)
}

// send enqueues the batch, writes its answers and empties it.
func (b *batch) send(ctx context.Context) {
	if len(b.tasks) == 0 {
		return
	}
	ctx, cancel := b.client.bound(ctx)
	defer cancel()
	reached := false
	for i, stored := range b.enqueue(ctx) {
		p, answer := b.tasks[i], &b.answers[b.places[i]]
		if stored.Err != nil {
			answer.Err = b.client.redisError(ctx, p.order.id, stored.Err)
			b.failed = cmp.Or(b.failed, answer.Err)
			if p.entry.Lane != "" {
				b.stopped[p.lane()] = true
			}
			continue
		}
		reached = true
		answer.Info, answer.Err = p.info(stored)
	}
	if !reached {
		b.down = cmp.Or(b.down, b.failed)
	}
	b.tasks, b.places, b.bytes = b.tasks[:0], b.places[:0], 0
}

func (b *batch) enqueue(ctx context.Context) []queue.Answer {
	entries := make([]queue.Entry, len(b.tasks))
	for i, p := range b.tasks {
		entries[i] = p.entry
	}
	if b.down == nil {
		answers, _ := b.client.store.Enqueue(ctx, entries) // its error is that of an answer
		return answers
	}
	answers := make([]queue.Answer, len(entries))
	for i := range answers {
		answers[i].Err = errNotTried
	}
	return answers
}

var errNotTried = errors.New("not tried after the failure of the tasks before")
