package tasks

import (
	"context"

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
// ctx ended; their answers have a [*RedisError] with their ID. Calling again is
// safe for requests with a [Key] or [ID]: those that got through are duplicates.
func (c *Client) EnqueueMany(ctx context.Context, requests []Request) ([]Answer, error) {
	answers := make([]Answer, len(requests))
	b := batch{client: c, answers: answers}
	var failed error
	for i, r := range requests {
		p, err := c.prepare(r.Task, r.Options)
		if err != nil {
			answers[i].Err = err
			continue
		}
		if b.full(p) {
			failed = firstOf(failed, b.send(ctx))
		}
		b.add(i, p)
	}
	return answers, firstOf(failed, b.send(ctx))
}

// batch is what goes to Redis in one round trip.
type batch struct {
	client  *Client
	answers []Answer // of all requests

	tasks  []prepared
	places []int // of tasks in answers
	bytes  int
}

func (b *batch) full(next prepared) bool {
	return len(b.tasks) == batchTasks || b.bytes+len(next.entry.Message.Payload) > batchBytes
}

func (b *batch) add(place int, p prepared) {
	b.tasks = append(b.tasks, p)
	b.places = append(b.places, place)
	b.bytes += len(p.entry.Message.Payload)
}

// send enqueues the batch, writes its answers and empties it. The error is that
// of a task about which Redis could not be asked.
func (b *batch) send(ctx context.Context) error {
	if len(b.tasks) == 0 {
		return nil
	}
	entries := make([]queue.Entry, len(b.tasks))
	for i, p := range b.tasks {
		entries[i] = p.entry
	}
	stored, err := b.client.store.Enqueue(ctx, entries)
	var failed error
	for i, p := range b.tasks {
		answer := &b.answers[b.places[i]]
		one := err
		if one == nil {
			one = stored[i].Err
		}
		if one != nil {
			answer.Err = b.client.redisError(p.order.id, one)
			failed = firstOf(failed, answer.Err)
			continue
		}
		answer.Info, answer.Err = p.info(stored[i].Existing)
	}
	b.tasks, b.places, b.bytes = b.tasks[:0], b.places[:0], 0
	return failed
}

func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
