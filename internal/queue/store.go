// Package queue has asynq's Redis layout in its own hands: it encodes asynq's
// task message, enqueues a batch of tasks in one round trip, finds a task by its
// id in whichever queue it is, and counts what the queues hold.
//
// asynq's servers, its Inspector and asynqmon work on what this package
// writes; tests against them hold the layout in place.
package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNotFound is returned by [Store.Find] for an id that no queue knows.
var ErrNotFound = errors.New("queue: no task with this id")

// Store enqueues and finds tasks. It is safe for concurrent use.
type Store struct {
	rdb redis.UniversalClient
}

// NewStore returns a Store on rdb, which stays the caller's to close.
func NewStore(rdb redis.UniversalClient) *Store { return &Store{rdb: rdb} }

// Entry is one task to enqueue.
type Entry struct {
	// Message must have ID, Type and one of [Names] as Queue.
	Message *Message
	// ProcessAt is the earliest time to run the task; zero or past means now.
	ProcessAt time.Time
}

// Answer tells what became of one [Entry].
type Answer struct {
	// Existing is what was there already under the id, in any of the queues; nothing was enqueued then.
	Existing *Record
	// Err is why the entry may not have been enqueued.
	Err error
}

// Enqueue is being built.
func (s *Store) Enqueue(ctx context.Context, entries []Entry) ([]Answer, error) {
	return nil, errors.ErrUnsupported
}

// Find is being built.
func (s *Store) Find(ctx context.Context, id string) (*Record, error) {
	return nil, errors.ErrUnsupported
}

// Queues is being built.
func (s *Store) Queues(ctx context.Context) ([]Info, error) { return nil, errors.ErrUnsupported }
