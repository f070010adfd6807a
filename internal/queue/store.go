package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNotFound is returned for an id that no queue knows.
var ErrNotFound = errors.New("queue: no task with this id")

// Store enqueues and finds tasks. It is safe for concurrent use.
type Store struct {
	rdb redis.UniversalClient
	// cluster means that the keys of two queues cannot meet in one script.
	cluster bool
	// replicas must have a task before it is answered as enqueued, and have so long for it.
	replicas int
	patience time.Duration

	clocks sync.Map // queue to clock

	mu        sync.Mutex
	published map[string]time.Time // queue to when its name was last put into AllQueuesKey
}

// NewStore returns a Store on rdb, which stays the caller's to close.
func NewStore(rdb redis.UniversalClient) *Store {
	_, cluster := rdb.(*redis.ClusterClient)
	return &Store{rdb: rdb, cluster: cluster, published: make(map[string]time.Time)}
}

// Find returns the task with this id, in whichever queue it is, or
// [ErrNotFound]. One round trip. What is under the id but cannot be decoded is
// an error.
func (s *Store) Find(ctx context.Context, id string) (*Record, error) {
	keys := make([]string, len(Names))
	for i, q := range Names {
		keys[i] = TaskKey(q, id)
	}
	calls := []call{{keys: keys, args: []any{id}}}
	if s.cluster {
		calls = calls[:0]
		for _, key := range keys {
			calls = append(calls, call{keys: []string{key}, args: []any{id}})
		}
	}
	for _, result := range runAll(ctx, s.rdb, findScript, calls, around{}) {
		reply, err := result.Result()
		switch {
		case errors.Is(err, redis.Nil):
			continue
		case err != nil:
			return nil, fmt.Errorf("queue: find task %s: %w", id, err)
		}
		return newRecord(reply)
	}
	return nil, ErrNotFound
}

// Replace stores another message for a task of its queue that is there. It may have another id, see [Message.Encode].
func (s *Store) Replace(ctx context.Context, id string, m *Message) error {
	if err := s.rdb.HSet(ctx, TaskKey(m.Queue, id), "msg", m.Encode()).Err(); err != nil {
		return fmt.Errorf("queue: replace the message of task %q: %w", id, err)
	}
	return nil
}

// ForgetServers forgets the servers of asynq that are gone without a word, by Redis' clock. asynq has a new name for a server
// each time it starts, and does so itself only where somebody lists them. Repeatable.
func (s *Store) ForgetServers(ctx context.Context) error {
	for _, key := range []string{"asynq:servers", "asynq:workers"} { // in a Cluster on two nodes
		if err := runOne(ctx, s.rdb, forgetScript, call{keys: []string{key}}).Err(); err != nil {
			return fmt.Errorf("queue: forget what is gone of %s: %w", key, err)
		}
	}
	return nil
}

// Publish puts the names of all queues where asynq's Inspector and asynqmon find them.
func (s *Store) Publish(ctx context.Context) error {
	names := make([]any, len(Names))
	for i, q := range Names {
		names[i] = q
	}
	if err := s.rdb.SAdd(ctx, AllQueuesKey, names...).Err(); err != nil {
		return fmt.Errorf("queue: publish the queues' names: %w", err)
	}
	return nil
}
