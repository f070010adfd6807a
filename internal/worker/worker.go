package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// A Worker takes tasks from Redis and executes them. Make it with [New].
type Worker struct {
	opts     Options
	hook     *dequeue.Hook
	pipeline *pipeline
	flight   *flight
	servers  []*asynq.Server
	ended    chan struct{}      // closed when all servers have ended
	drains   context.CancelFunc // of the pipeline's draining
	cutOff   context.CancelFunc // of the pipeline's cutoff
	queues   *queueCache
	longest  *look[*queue.Longest]

	state   atomic.Int32
	stopped atomic.Pointer[context.Context] // Run's context
}

// New prepares a worker. It asks Redis nothing: a worker may start before its
// Redis does.
func New(opts Options) (*Worker, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	draining, drains := context.WithCancel(context.Background())
	cutoff, cutOff := context.WithCancel(context.Background())
	w := &Worker{
		opts:   opts,
		hook:   dequeue.New(opts.Redis, dequeue.Options{Log: opts.Log, Retention: opts.Retention, Valve: valveOf(opts)}),
		flight: newFlight(opts.Queues),
		ended:  make(chan struct{}),
		drains: drains,
		cutOff: cutOff,
		queues: newQueueCache(queue.NewStore(opts.Status).Queues),
	}
	w.longest = (&longestLane{queues: w.queues, find: queue.NewStore(opts.Status).LongestLane}).cached()
	opts.Redis.AddHook(w.hook)
	w.pipeline = &pipeline{
		perform: func(ctx context.Context, id uuid.UUID, t tasks.Task, delivery int) (tasks.Result, error) {
			if failpoint.Without(failpoint.Dedupe) {
				id = uuid.New()
			}
			return tasks.Perform(ctx, opts.API, id, t, tasks.WithSources(opts.Sources), tasks.WithDelivery(delivery))
		},
		settler:     &settler{hook: w.hook, patience: opts.DrainTimeout, cutoff: cutoff},
		delay:       retryDelay{least: opts.RetryMin, most: opts.RetryMax},
		metrics:     opts.Metrics,
		flight:      w.flight,
		log:         opts.Log,
		maxAttempts: opts.MaxAttempts,
		timeout:     func(t tasks.Task) time.Duration { return opts.Timeout + opts.Sources.TimeFor(t) },
		draining:    draining,
		cutoff:      cutoff,
	}
	opts.Metrics.watch(w.queues, w.flight, opts.Queues)
	return w, nil
}

// Run takes and executes tasks until ctx ends, and then drains: it takes no more
// tasks at once, waits for those that run, at most DrainTimeout, hands the rest
// back to their queues, and returns nil. It returns an error if something had
// to be left behind; other workers recover it. Run can be called once.
func (w *Worker) Run(ctx context.Context) error {
	if !w.state.CompareAndSwap(int32(starting), int32(running)) {
		return errors.New("worker: Run was called before")
	}
	w.stopped.Store(&ctx)
	defer w.state.Store(int32(stopped))
	defer w.cutOff()
	defer w.drains()

	for _, name := range queue.Names {
		if concurrency := w.opts.Queues[name]; concurrency > 0 {
			srv := asynq.NewServerFromRedisClient(w.opts.Redis, w.serverConfig(name, concurrency))
			if err := srv.Start(w.pipeline); err != nil {
				w.hook.Close()
				w.shutDown() // those that run already
				return fmt.Errorf("worker: queue %s: %w", name, err)
			}
			w.servers = append(w.servers, srv)
		}
	}
	go w.announce(ctx)
	w.opts.Log.Info("worker takes tasks", "queues", w.opts.queueList())
	<-ctx.Done()
	return w.drain()
}

// announce makes the queues known to asynqmon before their first task, and forgets the servers of workers that were killed.
func (w *Worker) announce(ctx context.Context) {
	store := queue.NewStore(w.opts.Status)
	err := patiently(ctx, mayPass, func() error { return store.Publish(ctx) })
	if err != nil && ctx.Err() == nil {
		w.opts.Log.Warn("the queues could not be made known to asynqmon before their first task", "error", err)
	}
	_ = store.ForgetServers(ctx) // they are in nobody's way, and the next worker that starts tries it again
}

// serverConfig is the asynq server of one queue.
func (w *Worker) serverConfig(name string, concurrency int) asynq.Config {
	cfg := dequeue.ServerConfig(name, concurrency)
	cfg.Logger = asynqLog{w.opts.Log.With("queue", name)}
	cfg.LogLevel = asynqLevel(w.opts.Log)
	// The end of asynq's patience comes a little after ours, when no call is
	// under way any more.
	cfg.ShutdownTimeout = w.opts.DrainTimeout + settleTime
	return cfg
}
