package dequeue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// Options of a [Hook]; the zero value works.
type Options struct {
	// Log gets one line when Redis goes away and one when it is back. Defaults to discarding.
	Log *slog.Logger
	// Retention is for messages that ask for none. Defaults to 24 h; at least 1 s.
	Retention time.Duration
}

const (
	defaultRetention = 24 * time.Hour
	// maxAge is how long a request may wait for its turn. asynq takes the task's lease, of 30 s, before it
	// asks, and extends it every 5 s once it has the task.
	maxAge = 10 * time.Second
)

// Hook runs our script in the place of asynq's dequeue script, and waits for a
// task where asynq would poll. Add it, with AddHook, to the client that the asynq servers
// share, see [ServerConfig]. It is safe for concurrent use.
type Hook struct {
	opts    Options
	blocker *blocker
	health  health
	handed  deliveries
	outages outages

	closed chan struct{}
	mu     sync.Mutex // guards byName, and starting goroutines against Close
	shut   bool
	stop   context.CancelFunc // of listening; nil before the first dequeue
	byName map[string]*waiter
	wg     sync.WaitGroup
}

// New returns a hook that waits for pushes on a client of its own with the
// options of rdb, which may be the client that the hook is added to. A client
// that is neither a [redis.Client] nor a [redis.ClusterClient] cannot be copied; then the
// hook asks once a second. Close must be called.
func New(rdb redis.UniversalClient, opts Options) *Hook {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Retention == 0 {
		opts.Retention = defaultRetention
	}
	opts.Retention = max(opts.Retention, time.Second)
	return &Hook{
		opts:    opts,
		blocker: newBlocker(rdb),
		outages: outages{log: opts.Log},
		closed:  make(chan struct{}),
		byName:  make(map[string]*waiter),
	}
}

// Close releases every wait at once: from then on asynq's servers are told that
// there is nothing, and take no more tasks, but for one that a look under way may
// still find. It returns when every goroutine of the hook has ended. Call it when a
// drain begins, before the servers are shut down, which otherwise wait for the
// hook. Further calls do nothing.
func (h *Hook) Close() {
	h.mu.Lock()
	if !h.shut {
		h.shut = true
		close(h.closed)
		if h.stop != nil {
			h.stop()
		}
		h.blocker.close()
	}
	h.mu.Unlock()
	h.wg.Wait()
}

// Delivery returns the side data of the task that was handed out last under
// id, and forgets it.
func (h *Hook) Delivery(id string) (Delivery, bool) { return h.handed.take(id) }

// Due tells that a task of the queue becomes runnable at the given time, so
// that a wait does not outlast it. Retries that asynq stores through the hook's client, and
// times that the queue held when it was last looked at, are known without it.
func (h *Hook) Due(queue string, at time.Time) { h.waiter(queue).hint(at) }

// Health tells when Redis last answered any command of the client, and what is
// wrong now: the network's error, that nothing was answered for a while, or
// what the last dequeue of a queue was refused with. It asks nothing itself; an idle
// server asks at least every [BlockTimeout], a busy one every five seconds with its heartbeat.
// Before the first answer lastOK is zero.
func (h *Hook) Health() (lastOK time.Time, err error) { return h.health.state() }

// DialHook implements [redis.Hook].
func (h *Hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements [redis.Hook].
func (h *Hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		end := h.health.begin(ctx)
		err := next(ctx, cmds)
		end(err)
		return err
	}
}

// ProcessHook implements [redis.Hook]. Everything but asynq's dequeue script passes unchanged.
func (h *Hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	watched := func(ctx context.Context, cmd redis.Cmder) error {
		end := h.health.begin(ctx)
		err := next(ctx, cmd)
		end(err)
		return err
	}
	return func(ctx context.Context, cmd redis.Cmder) error {
		if req, ok := dequeueRequest(cmd); ok {
			if answer, ok := cmd.(*redis.Cmd); ok {
				return h.dequeue(ctx, watched, answer, req)
			}
		}
		err := watched(ctx, cmd)
		if q, at, ok := retryAt(cmd); ok && err == nil {
			h.Due(q, at)
		}
		return err
	}
}

// dequeue answers asynq's command: with an encoded message, or with nil when there is none.
func (h *Hook) dequeue(ctx context.Context, next redis.ProcessHook, cmd *redis.Cmd, req request) error {
	w := h.waiter(req.queue)
	h.listen()
	r, err := h.take(ctx, next, w, req)
	if err == nil && r.outcome != task {
		r, err = h.wait(ctx, next, w, req, r)
	}
	if err != nil {
		// asynq would ask again without a break, and log: the hook does both.
		w.sleep(ctx, errorPoll)
		cmd.SetErr(redis.Nil)
		return redis.Nil
	}
	if r.outcome != task {
		cmd.SetErr(redis.Nil)
		return redis.Nil
	}
	cmd.SetVal(h.hand(ctx, next, req.queue, r))
	return nil
}

// wait waits for a task after the script found none, and returns what the
// script found then, or r if it is better to ask again with a new lease.
func (h *Hook) wait(ctx context.Context, next redis.ProcessHook, w *waiter, req request, r reply) (reply, error) {
	stale := time.NewTimer(maxAge)
	defer stale.Stop()
	select {
	case w.turn <- struct{}{}:
	case <-stale.C:
		return r, nil
	case <-h.closed:
		return r, nil
	case <-ctx.Done():
		return r, nil
	}
	defer func() { <-w.turn }()
	if r.outcome == paused {
		left := pausePoll
		if r.left >= 0 {
			left = min(left, r.left)
		}
		w.sleep(ctx, left)
		return r, nil
	}
	if !w.await(ctx) {
		return r, nil
	}
	r, err := h.take(ctx, next, w, req)
	w.found(err == nil && r.outcome == task)
	return r, err
}

// take runs the script.
func (h *Hook) take(ctx context.Context, next redis.ProcessHook, w *waiter, req request) (reply, error) {
	select {
	case <-h.closed:
		return reply{outcome: idle, left: -1}, nil
	default:
	}
	r, err := run(ctx, next, req)
	h.health.dequeued(req.queue, err)
	h.outages.dequeued(req.queue, err)
	if err != nil {
		return r, err
	}
	for _, id := range r.dropped {
		h.opts.Log.Warn("removed an id without a task from the queue", "task_id", id, "queue", req.queue)
	}
	if r.outcome == idle && r.left >= 0 {
		w.hint(time.Now().Add(r.left))
	}
	return r, nil
}

// hand returns the message that asynq gets for a task.
func (h *Hook) hand(ctx context.Context, next redis.ProcessHook, q string, r reply) string {
	m, stands := normalize(r.message, r.id, q, h.opts.Retention)
	encoded := string(m.Encode())
	if !stands {
		h.opts.Log.Warn("a task cannot be decoded", "task_id", r.id, "queue", q, "reason", m.Headers[HeaderUndecodable])
		// In Redis too: asynq's recoverer and Inspector decode what is there.
		if err := next(ctx, redis.NewCmd(ctx, "hset", queue.TaskKey(q, r.id), "msg", encoded)); err != nil {
			h.opts.Log.Warn("the replacement of a task was not stored", "task_id", r.id, "queue", q, "error", err)
		}
	}
	r.delivery.LastError = m.ErrorMsg
	h.handed.put(r.id, r.delivery)
	return encoded
}

// waiter returns the waiter of a queue.
func (h *Hook) waiter(name string) *waiter {
	h.mu.Lock()
	defer h.mu.Unlock()
	w, ok := h.byName[name]
	if !ok {
		w = &waiter{
			queue: name,
			// Not the context of a request: the command outlives it if a due time ends the wait first.
			blocked: func() error { return h.blocker.wait(context.Background(), name) },
			closed:  h.closed,
			start:   h.start,
			log:     func(lost bool, err error) { h.outages.wakeUp(name, lost, err) },
			turn:    make(chan struct{}, 1),
			sooner:  make(chan struct{}, 1),
		}
		h.byName[name] = w
	}
	return w
}

// listen starts to hear of tasks that are due soon, once.
func (h *Hook) listen() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop != nil || h.shut {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.wg.Go(func() {
		h.blocker.listen(ctx, func(q string, at time.Time) {
			h.mu.Lock()
			w := h.byName[q]
			h.mu.Unlock()
			if w != nil {
				w.hint(at)
			}
		})
	})
}

func (h *Hook) start(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return false
	}
	h.wg.Go(f)
	return true
}

// outages logs an outage once when it begins and once when it is over.
type outages struct {
	log *slog.Logger

	mu     sync.Mutex
	since  time.Time       // of the outage under way, zero if there is none
	failed map[string]bool // queues whose last dequeue failed
}

func (o *outages) dequeued(q string, err error) {
	if errors.Is(err, redis.ErrClosed) || errors.Is(err, context.Canceled) {
		return // the process is ending
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		delete(o.failed, q)
		if !o.since.IsZero() && len(o.failed) == 0 {
			o.log.Info("redis is back, tasks are taken again", "took", time.Since(o.since).Round(time.Millisecond))
			o.since = time.Time{}
		}
		return
	}
	if o.failed == nil {
		o.failed = make(map[string]bool)
	}
	o.failed[q] = true
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Error("redis fails, no task is taken", "queue", q, "error", err)
	}
}

func (o *outages) wakeUp(q string, lost bool, err error) {
	if lost {
		o.log.Warn("waiting for tasks fails, the queue is polled", "queue", q, "error", err)
		return
	}
	o.log.Info("waiting for tasks works again", "queue", q)
}
