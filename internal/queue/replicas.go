package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrReplicas is returned for a task that Redis has stored, and that too few of its
// replicas have confirmed in time. Enqueued again, they are asked again.
var ErrReplicas = errors.New("queue: stored, but not confirmed by enough replicas")

// markTTL is how long the key that waitForReplicas writes is there.
const markTTL = time.Second

// RequireReplicas lets Enqueue answer only when so many replicas have confirmed what was stored. A Cluster
// cannot tell that for a pipeline.
func (s *Store) RequireReplicas(n int, within time.Duration) error {
	if s.cluster {
		return errors.New("queue: a Redis Cluster cannot be asked for the replicas of what was just stored")
	}
	s.replicas, s.patience = n, within
	return nil
}

// waitForReplicas asks Redis to wait. It counts what this connection has written, so a mark is written before:
// of a task that was there already nothing would be.
func (s *Store) waitForReplicas(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
	pipe.Set(ctx, "layerq:replicas", 1, markTTL)
	return pipe.Do(ctx, "wait", s.replicas, s.patience.Milliseconds())
}

func (s *Store) replicated(answer *redis.Cmd) error {
	n, err := answer.Int()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrReplicas, err)
	case n < s.replicas:
		return fmt.Errorf("%w: %d of %d within %v", ErrReplicas, n, s.replicas, s.patience)
	}
	return nil
}
