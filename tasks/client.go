package tasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
)

// DefaultRetention is how long a finished task and its result are kept, and so
// the window in which its dedupe UUID is recognised.
const DefaultRetention = 24 * time.Hour

// defaultPatience is how long a round trip to Redis may take, with the repeats
// of the Redis client, where the caller sets no deadline. A user at a command
// line is to know within five seconds that there is no Redis.
const defaultPatience = 4 * time.Second

// Client enqueues tasks and reads back what became of them. It is safe for
// concurrent use; an application needs one.
//
// Where the context of a call has no deadline, Redis has 4 seconds for the answer to each round trip.
type Client struct {
	rdb       redis.UniversalClient
	owned     bool // rdb was opened here, so Close closes it
	addr      string
	store     *queue.Store
	shared    []string // directories that workers see, too
	retention time.Duration
	patience  time.Duration // of a round trip whose context has no deadline
	now       func() time.Time
}

// ClientOption changes what a [Client] does by default.
type ClientOption func(*Client) error

// WithRetention sets how long tasks of this client are kept once they are
// completed: whole seconds, one at least. The default is [DefaultRetention].
// Within that time enqueueing the same dedupe UUID again is recognised.
func WithRetention(d time.Duration) ClientOption {
	return func(c *Client) error {
		if d < time.Second || d%time.Second != 0 {
			// asynq counts whole seconds and takes zero for "do not keep".
			return wrong("retention", "is %v, must be whole seconds, one at least", d)
		}
		c.retention = d
		return nil
	}
}

// WithReplicas lets enqueueing succeed only when so many replicas of Redis have confirmed the task, within a
// time between 10 ms and 2 s: then it outlives the loss of the primary, if one of those replicas takes its place. Where they have not, the
// error is a [*RedisError] with [ErrNotReplicated]; the task is stored all the same, and enqueueing it again asks again.
// One round trip, and the replicas' answer. Not for a Redis Cluster.
func WithReplicas(n int, within time.Duration) ClientOption {
	return func(c *Client) error {
		if n < 1 || within < 10*time.Millisecond || within > 2*time.Second {
			return wrong("replicas", "%d within %v: want one at least, within 10ms to 2s", n, within)
		}
		return c.store.RequireReplicas(n, within)
	}
}

// NewClient returns a client of the Redis at a URL: redis://, rediss://,
// unix://, redis-sentinel://h1,h2/MASTER or redis-cluster://h1,h2. It does not
// connect yet, so it fails for a wrong URL or option only. Close it in the end.
func NewClient(redisURL string, opts ...ClientOption) (*Client, error) {
	rdb, err := redisurl.Open(redisURL)
	if err != nil {
		return nil, fmt.Errorf("tasks: %w", err)
	}
	c, err := NewClientFromRedis(rdb, opts...)
	if err != nil {
		return nil, errors.Join(err, rdb.Close())
	}
	c.owned, c.addr = true, redisurl.Addr(redisURL)
	return c, nil
}

// NewClientFromRedis returns a client that shares an application's Redis
// client, with its timeouts and its retries. Closing it leaves rdb open. A
// [*redis.Ring] is refused: a task's keys would be spread over its shards.
func NewClientFromRedis(rdb redis.UniversalClient, opts ...ClientOption) (*Client, error) {
	if _, isRing := rdb.(*redis.Ring); isRing {
		return nil, errors.New("tasks: a *redis.Ring is not supported: its shards know nothing of each other, and a task's keys must be in one; " +
			"use a *redis.Client, a failover client or a *redis.ClusterClient")
	}
	c := &Client{
		rdb:       rdb,
		addr:      addrOf(rdb),
		store:     queue.NewStore(rdb),
		retention: DefaultRetention,
		patience:  defaultPatience,
		now:       time.Now,
	}
	for _, set := range opts {
		if err := set(c); err != nil {
			return nil, fmt.Errorf("tasks: %w", err)
		}
	}
	return c, nil
}

// Close closes the connections that [NewClient] made.
func (c *Client) Close() error {
	if !c.owned {
		return nil
	}
	return c.rdb.Close()
}

// Ping asks Redis for a sign of life. The error is a [*RedisError].
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return c.redisError(ctx, uuid.Nil, err)
	}
	return nil
}

var errPatience = errors.New("no answer")

// bound sets an end to a round trip where the caller sets none.
func (c *Client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, c.patience, errPatience)
}

// redisError says which address was asked. The end of a caller's own context
// is still found in it by errors.Is.
func (c *Client) redisError(ctx context.Context, id uuid.UUID, err error) error {
	if errors.Is(context.Cause(ctx), errPatience) {
		err = fmt.Errorf("%w within %v: %w", errPatience, c.patience, err)
	}
	return &RedisError{Addr: c.addr, ID: id, Err: err}
}

// addrOf tells where a client of the application's connects to.
func addrOf(rdb redis.UniversalClient) string {
	switch r := rdb.(type) {
	case *redis.Client:
		return r.Options().Addr
	case *redis.ClusterClient:
		return fmt.Sprint(r.Options().Addrs)
	default:
		return "an unknown address"
	}
}

// ParseID reads a dedupe UUID as people and programs write it: 36 characters,
// in either case. The error is an [*InvalidError] for field "id".
func ParseID(s string) (uuid.UUID, error) {
	const canonical = 36 // uuid.Parse would take braces and urn:uuid: as well
	id, err := uuid.Parse(s)
	if err != nil || len(s) != canonical {
		return uuid.Nil, invalid("", &layer.FieldError{Field: "id", Problem: wording.Quote(s) + " is no UUID like 01234567-89ab-4cde-8f01-23456789abcd"})
	}
	return id, nil
}
