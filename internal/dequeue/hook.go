package dequeue

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
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
	// Valve says when tasks may be taken. Nil lets them be taken at any time.
	Valve Valve
}

// A Valve says when tasks may be taken.
type Valve interface {
	// Enter returns when a task of the queue may be taken, or with an error when ctx ends before.
	Enter(ctx context.Context, queue string) (Pass, error)
}

// A Pass lets one task be taken.
type Pass interface {
	// Probe says that the task is taken to find out whether a hold may end.
	Probe() bool
	// Release ends the pass: the task is over, or none was found.
	Release()
}

const (
	defaultRetention = 24 * time.Hour
	// maxAge is how long a request may wait. asynq counts a lease of its own, of 30 s, from when it
	// asks, and extends it every 5 s once it has the task.
	maxAge = 10 * time.Second
	// takeTimeout ends a look that Redis does not answer. go-redis would send it three times more,
	// and a Redis that hung for a moment would then hand out four tasks whose answers nobody reads.
	takeTimeout = 5 * time.Second
	// lookEvery is how often a process looks at a queue at least. An idle one does by itself.
	lookEvery = 4 * time.Second
	// renewEvery is how often leases are renewed: one of them may fail five times before it ends.
	renewEvery = 5 * time.Second
)

// Hook runs our script in the place of asynq's dequeue script, and waits for a
// task where asynq would poll. Add it, with AddHook, to the client that the asynq servers
// share, see [ServerConfig]. It is safe for concurrent use.
type Hook struct {
	opts    Options
	store   *queue.Store
	blocker *blocker
	health  health
	hands   hands
	outages outages
	// ahead is how much Redis' clock is ahead of this process'.
	ahead atomic.Int64

	closed chan struct{}
	ending context.Context // ends when closed is closed
	end    context.CancelFunc
	mu     sync.Mutex // guards byName, and starting goroutines against Close
	shut   bool
	stop   context.CancelFunc // of listening; nil before the first dequeue
	byName map[string]*waiter
	wg     sync.WaitGroup
}

// New returns a hook for rdb, which it looks for tasks with; add the hook to it. It waits for pushes on a client
// of its own with the same options. A client
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
	ending, end := context.WithCancel(context.Background())
	return &Hook{
		ending: ending, end: end,
		opts:    opts,
		store:   queue.NewStore(rdb),
		blocker: newBlocker(rdb),
		outages: outages{log: opts.Log},
		closed:  make(chan struct{}),
		byName:  make(map[string]*waiter),
	}
}

// Close releases every wait at once: from then on asynq's servers are told that
// there is nothing, and take no more tasks; what a look under way still finds goes back to where it was. It returns when every goroutine of the hook has ended. Call it when a
// drain begins, before the servers are shut down, which otherwise wait for the
// hook. Further calls do nothing.
func (h *Hook) Close() {
	h.mu.Lock()
	if !h.shut {
		h.shut = true
		close(h.closed)
		h.end()
		if h.stop != nil {
			h.stop()
		}
		h.blocker.close()
	}
	h.mu.Unlock()
	h.wg.Wait()
}

// Delivery returns the delivery of a task of a queue that asynq hands over, once; nil if the hook
// does not know it. It is the worker's until Done: its lease is renewed until then, also while the hook is closed.
func (h *Hook) Delivery(q, id string) *Delivery { return h.hands.claim(q, id, h.renewals) }

// Done forgets a delivery, whose task is settled or lost.
func (h *Hook) Done(d *Delivery) {
	h.hands.drop(d)
	d.lose()
	if d.Pass != nil {
		d.Pass.Release()
	}
}

// Settle ends a delivery, see [queue.Store.Settle]. Waiting servers learn when a
// retry is due.
func (h *Hook) Settle(ctx context.Context, d *Delivery, e queue.Settlement) (mine bool, err error) {
	e.Queue, e.Delivery = d.Queue, d.Taken.Delivery()
	mine, err = h.store.Settle(ctx, e)
	switch {
	case err != nil:
	case e.Verdict == queue.VerdictRetry:
		h.waiter(d.Queue).hint(time.Now().Add(e.Wait))
	case d.Lane != "":
		h.waiter(d.Queue).moved()
	}
	return mine, err
}

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

// ProcessHook implements [redis.Hook]. Commands that are not of asynq's engine pass unchanged.
func (h *Hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	watched := func(ctx context.Context, cmd redis.Cmder) error {
		end := h.health.begin(ctx)
		err := next(ctx, cmd)
		end(err)
		return err
	}
	return func(ctx context.Context, cmd redis.Cmder) error {
		if q, ok := dequeueOf(cmd); ok {
			if answer, ok := cmd.(*redis.Cmd); ok {
				return h.dequeue(answer, q)
			}
		}
		if stand(cmd) {
			return nil
		}
		if renewal(cmd) {
			return nil // the hook renews itself what the worker has
		}
		if at, ok := expiry(cmd); ok {
			cmd.Args()[at] = time.Now().Add(time.Duration(h.ahead.Load())).Unix()
		}
		return watched(ctx, cmd)
	}
}

// renewals renews the leases of what is in use, until nothing is. asynq has a count of its own of what it executes, by
// task: of two deliveries of one task in this process it forgets the second when the first is over.
func (h *Hook) renewals(rest <-chan struct{}) {
	beat := time.NewTicker(renewEvery)
	defer beat.Stop()
	for {
		select {
		case <-rest:
			return
		case <-beat.C:
			for q, held := range h.hands.leases() {
				h.renew(q, held)
			}
		}
	}
}

// renew extends leases, by Redis' clock, and tells the deliveries that are lost. Where that fails, the
// leases that were given before end in their time.
func (h *Hook) renew(q string, held []*Delivery) {
	ctx, cancel := context.WithTimeout(context.Background(), takeTimeout)
	defer cancel()
	deliveries := make([]queue.Delivery, len(held))
	for i, d := range held {
		deliveries[i] = d.Taken.Delivery()
	}
	until := time.Now().Add(queue.LeaseTime)
	lost, err := h.store.Extend(ctx, q, deliveries)
	if err != nil {
		h.opts.Log.Debug("the leases of running tasks were not renewed, it is tried again", "queue", q, "tasks", len(held), "error", err)
		return
	}
	for _, d := range held {
		if slices.Contains(lost, d.ID) {
			d.lose()
		} else {
			d.extended(until)
		}
	}
}

// dequeue answers asynq's command: with an encoded message, or with nil when there is none.
func (h *Hook) dequeue(cmd *redis.Cmd, q string) error {
	w := h.waiter(q)
	h.listen()
	ctx, cancel := context.WithTimeout(h.ending, maxAge) // asynq's own context never ends
	defer cancel()
	d, found, err := h.take(ctx, w)
	if err == nil && d == nil {
		d, err = h.wait(ctx, w, found)
	}
	if err != nil {
		// asynq would ask again without a break, and log: the hook does both.
		w.sleep(ctx, errorPoll)
	}
	if err != nil || d == nil {
		cmd.SetErr(redis.Nil)
		return redis.Nil
	}
	cmd.SetVal(string(d.Message.Encode()))
	return nil
}

// wait waits for a task after a look found none. It returns nil if it is better to ask again.
func (h *Hook) wait(ctx context.Context, w *waiter, found queue.Taken) (*Delivery, error) {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil
	}
	defer func() { <-w.turn }()
	if found.Found == queue.FoundPaused || found.Found == queue.FoundHeld {
		left := pausePoll
		if found.Left >= 0 {
			left = min(left, found.Left)
		}
		w.sleep(ctx, left)
		return nil, nil
	}
	if !w.await(ctx) {
		return nil, nil
	}
	d, _, err := h.take(ctx, w)
	w.found(d != nil)
	return d, err
}

// take looks for a task. Where there is none, found says why.
func (h *Hook) take(ctx context.Context, w *waiter) (d *Delivery, found queue.Taken, err error) {
	var pass Pass
	if h.opts.Valve != nil {
		if pass, err = h.opts.Valve.Enter(ctx, w.queue); err != nil {
			return nil, queue.Taken{Found: queue.FoundHeld}, nil // the valve has waited, and waits on
		}
	}
	if ctx.Err() == nil {
		d, found, err = h.look(ctx, w, pass)
	}
	if d == nil && pass != nil {
		pass.Release()
	}
	return d, found, err
}

// look runs the script.
func (h *Hook) look(ctx context.Context, w *waiter, pass Pass) (*Delivery, queue.Taken, error) {
	began := time.Now()
	// A look that found a task must not be given up for the drain or because it waited: only if Redis is silent.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeTimeout)
	defer cancel()
	found, err := h.store.Take(ctx, w.queue, pass != nil && pass.Probe())
	h.looked(w, found, err)
	if err != nil || found.Found != queue.FoundTask {
		return nil, found, err
	}
	d := NewDelivery(w.queue, found, h.message(ctx, w.queue, found), pass, began)
	if h.ending.Err() != nil { // closed while Redis was asked
		return nil, found, h.putBack(ctx, d)
	}
	h.hands.put(d)
	return d, found, nil
}

// looked takes over what a look at a queue told.
func (h *Hook) looked(w *waiter, found queue.Taken, err error) {
	w.last.Store(time.Now().UnixNano())
	h.health.dequeued(w.queue, err)
	h.outages.dequeued(w.queue, err)
	if err != nil {
		return
	}
	h.ahead.Store(int64(found.Now.Sub(time.Now().Round(0))))
	for _, id := range found.Dropped {
		h.opts.Log.Warn("removed an id without a task from the queue", "task_id", id, "queue", w.queue)
	}
	if found.Found == queue.FoundIdle && found.Left >= 0 {
		w.hint(time.Now().Add(found.Left))
	}
}

// watch looks after the queues that nobody in this process takes tasks of, because all are busy, or kept away: tasks of
// dead workers must run again in time all the same.
func (h *Hook) watch(ctx context.Context) {
	beat := time.NewTicker(lookEvery / 4)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			for _, w := range h.waiters() {
				if time.Since(time.Unix(0, w.last.Load())) >= lookEvery {
					ctx, cancel := context.WithTimeout(ctx, takeTimeout)
					found, err := h.store.Look(ctx, w.queue)
					cancel()
					h.looked(w, found, err)
				}
			}
		}
	}
}

func (h *Hook) waiters() []*waiter {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.byName))
}

// putBack returns a task that nobody here shall execute any more.
func (h *Hook) putBack(ctx context.Context, d *Delivery) error {
	d.lose()
	_, err := h.Settle(ctx, d, queue.Settlement{Verdict: queue.VerdictBack})
	return err
}

// message returns what the worker gets to see of a task.
func (h *Hook) message(ctx context.Context, q string, t queue.Taken) *queue.Message {
	m, stands := normalize(t.Message, t.ID, q, h.opts.Retention)
	if !stands {
		h.opts.Log.Warn("a task cannot be decoded", "task_id", t.ID, "queue", q, "reason", m.Headers[HeaderUndecodable])
		// In Redis too: asynq's Inspector decodes what is there.
		if err := h.store.Replace(ctx, m); err != nil {
			h.opts.Log.Warn("the replacement of a task was not stored", "task_id", t.ID, "queue", q, "error", err)
		}
	}
	return m
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
	h.wg.Go(func() { h.watch(ctx) })
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
