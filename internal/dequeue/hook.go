package dequeue

import (
	"context"
	"log/slog"
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
	// Any says that it is to be any of the tasks that wait, not the next one.
	Any() bool
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
	// putBackPoll is the pause before a task is put back again.
	putBackPoll = 200 * time.Millisecond
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
	e.Queue, e.Delivery = d.Queue, d.Delivery()
	mine, err = h.store.Settle(ctx, e)
	switch {
	case err != nil:
	case e.Verdict == queue.VerdictRetry:
		h.waiter(d.Queue).hint(time.Now().Add(e.Wait))
	case d.Lane != "" || d.Crashes > 0:
		h.waiter(d.Queue).moved()
	}
	return mine, err
}

// Waits notes that a delivery waits, or that it does so no more, see [queue.Store.Waits].
func (h *Hook) Waits(ctx context.Context, d *Delivery, waits bool) error {
	return h.store.Waits(ctx, d.Queue, d.Delivery(), waits)
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
		if found.Found == queue.FoundHeld && h.opts.Valve != nil {
			left = heldPoll
		}
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
	var found queue.Taken
	var err error
	if pass != nil && pass.Any() {
		found, err = h.store.TakeAny(ctx, w.queue)
	} else {
		found, err = h.store.Take(ctx, w.queue, pass != nil && pass.Probe())
	}
	h.looked(w, found, err)
	if err != nil || found.Found != queue.FoundTask {
		return nil, found, err
	}
	d := NewDelivery(w.queue, found, h.message(ctx, w.queue, found), pass, began)
	if h.ending.Err() != nil { // closed while Redis was asked
		return nil, found, h.putBack(ctx, d)
	}
	h.took(d)
	return d, found, nil
}

// took notes a delivery until asynq hands it over.
func (h *Hook) took(d *Delivery) {
	if before := h.hands.put(d); before != nil && before.Pass != nil {
		before.Pass.Release()
	}
}

// putBack returns a task that nobody here shall execute any more. While ctx lasts it is tried again: else the task would wait for
// the end of its lease.
func (h *Hook) putBack(ctx context.Context, d *Delivery) error {
	d.lose()
	for {
		_, err := h.Settle(ctx, d, queue.Settlement{Verdict: queue.VerdictBack, Fields: []any{queue.FieldDeliveries, d.Deliveries - 1}})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(putBackPoll):
		}
	}
}

// message returns what the worker gets to see of a task.
func (h *Hook) message(ctx context.Context, q string, t queue.Taken) *queue.Message {
	m, stands := normalize(t.Message, t.ID, q, h.opts.Retention)
	if !stands {
		h.opts.Log.Warn("a task cannot be decoded", "task_id", t.ID, "queue", q, "reason", m.Headers[HeaderUndecodable])
		// In Redis too: asynq's Inspector decodes what is there.
		if err := h.store.Replace(ctx, t.ID, m); err != nil {
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
