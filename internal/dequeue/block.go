package dequeue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// BlockTimeout is how long Redis keeps a waiting worker before it answers that
// nothing came. It bounds how late an idle worker sees what neither a push nor
// [queue.WakeChannel] tells of: a task that another program than ours scheduled for
// less than this ahead.
const BlockTimeout = 3200 * time.Millisecond

// blockGrace is how much later than BlockTimeout the answer may come.
const blockGrace = 400 * time.Millisecond

// Times that are further away than a producer publishes must be seen by the look after each wait.
const _ = uint(queue.WakeWithin - BlockTimeout - blockGrace)

// blockArg is BlockTimeout as Redis takes it. go-redis' own BLMove waits ten
// seconds longer than this for a connection that is dead.
const blockArg = "3.2"

// listenCheck is how often a silent subscription is checked to be alive. It is
// a command each time, and what gets lost meanwhile is late by seconds only.
const listenCheck = time.Minute

// errUnsupported is the answer for a client of a kind that cannot be copied.
var errUnsupported = errors.New("dequeue: this kind of client cannot wait for a push")

// blocker waits for pushes on a client of its own: a blocked command keeps
// its connection, and only closing the client ends it early.
type blocker struct {
	rdb   redis.UniversalClient // nil if it cannot block
	conns conns
}

// newBlocker copies the client's options, not its hooks.
func newBlocker(rdb redis.UniversalClient) *blocker {
	const (
		readTimeout = BlockTimeout + 2*time.Second
		pool        = 8 // more than there are queues
	)
	b := &blocker{}
	switch rdb := rdb.(type) {
	case *redis.Client:
		opts := *rdb.Options()
		opts.Dialer = b.conns.watch(opts.Dialer)
		opts.ReadTimeout, opts.MaxRetries, opts.DialerRetries = readTimeout, -1, 1
		opts.PoolSize, opts.MaxActiveConns, opts.MaxConcurrentDials = pool, 0, 0
		opts.MinIdleConns, opts.MaxIdleConns, opts.PipelinePoolSize = 0, 0, -1
		opts.PushNotificationProcessor = nil
		opts.ClientSideCacheConfig, opts.ClientSideCache = nil, nil
		b.rdb = redis.NewClient(&opts)
	case *redis.ClusterClient:
		opts := *rdb.Options()
		if opts.Dialer == nil {
			opts.Dialer = redis.NewDialer(&redis.Options{DialTimeout: opts.DialTimeout, TLSConfig: opts.TLSConfig})
		}
		opts.Dialer = b.conns.watch(opts.Dialer)
		opts.ReadTimeout, opts.MaxRetries, opts.DialerRetries = readTimeout, -1, 1
		opts.PoolSize, opts.MaxActiveConns, opts.MaxConcurrentDials = pool, 0, 0
		opts.MinIdleConns, opts.MaxIdleConns, opts.PipelinePoolSize = 0, 0, -1
		opts.PushNotificationProcessor = nil
		b.rdb = redis.NewClusterClient(&opts)
	}
	return b
}

// wait returns nil as soon as the queue's pending list has an element, and
// redis.Nil if it had none for BlockTimeout. It moves the element that is next
// onto its own place: the list does not change.
func (b *blocker) wait(ctx context.Context, q string) error {
	if b.rdb == nil {
		return errUnsupported
	}
	key := queue.PendingKey(q)
	cmd := redis.NewCmd(ctx, "blmove", key, key, "right", "right", blockArg)
	cmd.SetFirstKeyPos(1) // for a Cluster
	return b.rdb.Process(ctx, cmd)
}

// listen calls hint for every time that producers publish, until the client is closed.
func (b *blocker) listen(ctx context.Context, hint func(q string, at time.Time)) {
	if b.rdb == nil {
		return
	}
	sub := b.rdb.Subscribe(ctx, queue.WakeChannel)
	defer func() { _ = sub.Close() }()
	news := sub.Channel(redis.WithChannelHealthCheckInterval(listenCheck))
	for {
		select {
		case msg, ok := <-news:
			if !ok {
				return
			}
			if q, at, ok := queue.DecodeWake(msg.Payload); ok {
				hint(q, at)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (b *blocker) close() {
	b.conns.close()
	if b.rdb != nil {
		_ = b.rdb.Close()
	}
}
