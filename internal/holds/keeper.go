package holds

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// ErrClosed is the error of [Keeper.Enter] after [Keeper.Close].
var ErrClosed = errors.New("holds: the keeper is closed")

// A Keeper holds and opens this process together with all others that use the
// same Redis. Make one for a process with [New]. It is safe for concurrent use.
type Keeper struct {
	opts  Options
	rdb   redis.UniversalClient
	store exchanger
	marks marker
	log   *slog.Logger

	asking sync.Mutex // one request at a time, so that replies are in order; taken before mu

	mu sync.Mutex // guards what follows
	view
	breaker
	door
	outbox
	shutAt  time.Time      // when the hold began, to this process
	amid    bool           // when it began, calls had been answered since the fleet opened
	counts  map[Reason]int // holds that this process began
	changed chan struct{}  // closed, and replaced, when something may go on
	closed  bool

	wake    chan struct{} // run has something to do
	done    chan struct{}
	stop    context.CancelFunc
	running sync.WaitGroup
}

// exchanger runs the script.
type exchanger interface {
	run(ctx context.Context, req *request) (reply, error)
}

// marker shows holds at the queues, and tells what waits in them.
type marker interface {
	Hold(ctx context.Context, queues []string, h queue.Hold, lasts time.Duration, nth int64) error
	Release(ctx context.Context, queues []string, nth int64) error
	Queues(ctx context.Context) ([]queue.Info, error)
}

// view is how things stand, as Redis said it last, or as this process knows better.
type view struct {
	known      bool   // Redis has answered
	reason     Reason // empty while this worker is not held
	code       string
	until      time.Time // when the hold may be probed
	otherProbe time.Time // until then somebody else probes
}

// outbox is what Redis is to be told.
type outbox struct {
	news    bool // something changed there, or may have
	found   *found
	results []result  // of probes
	askAt   time.Time // before this, nothing is asked
	pollAt  time.Time // a held worker looks again
	failed  bool      // Redis did not answer the last time
	stuck   bool      // nor while this worker is held, and that is logged
	unshown bool      // nor could the queues be marked
}

// found is a reason to hold the fleet.
type found struct {
	finding
	began time.Time // when the attempt began that found it
	token string    // the credentials that it was made with
}

// result is what became of a probe.
type result struct {
	ask   ask
	pass  string
	found finding
	began time.Time
}

// New returns a keeper for this process. rdb stays the caller's to close; its
// commands end in time only if it has ContextTimeoutEnabled. Close must be called.
func New(rdb redis.UniversalClient, options Options) *Keeper {
	me := uuid.NewString()
	return start(rdb, newStore(rdb, me), me, options.withDefaults())
}

func start(rdb redis.UniversalClient, store exchanger, me string, options Options) *Keeper {
	ctx, stop := context.WithCancel(context.Background())
	k := &Keeper{
		opts: options, rdb: rdb, store: store, log: options.Log,
		marks:   queue.NewStore(rdb),
		counts:  make(map[Reason]int),
		changed: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}), stop: stop,
	}
	k.door = door{me: me, window: cold, opened: time.Now(), inside: make(map[string]int), waiting: make(map[string]int), permits: make(map[*attempt]context.CancelCauseFunc)}
	k.news = true
	k.running.Go(func() { k.run(ctx) })
	k.running.Go(func() { k.listen(ctx, me) })
	return k
}

// Close ends all waiting, and gives back a probe that was not made. Call it when no
// task is in hand any more. Repeatable.
func (k *Keeper) Close() {
	k.mu.Lock()
	if !k.closed {
		k.closed = true
		close(k.done)
		k.stop()
		k.notify()
	}
	k.mu.Unlock()
	k.running.Wait()
}

// TokenChanged tells that [Options.Token] gives another one than before.
func (k *Keeper) TokenChanged() {
	k.mu.Lock()
	k.news = true
	k.mu.Unlock()
	k.poke()
}

// Snapshot is what a keeper knows.
type Snapshot struct {
	// Reason and Code say why this worker is held; Reason is empty if it is not.
	Reason Reason
	Code   string
	// Until is when the hold may be probed, Since when this process learned of it.
	Until, Since time.Time
	// Began counts the holds that this process was the first to find, by reason.
	Began map[Reason]int
	// Opening is how many tasks of each queue this process may have in hand; 0 is as many as it likes.
	Opening int
}

// Snapshot returns what the keeper knows, without asking Redis.
func (k *Keeper) Snapshot() Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := Snapshot{Reason: k.reason, Code: k.code, Until: k.until, Since: k.shutAt, Began: make(map[Reason]int), Opening: k.window}
	maps.Copy(s.Began, k.counts)
	return s
}

// notify lets everybody who waits look again. The caller has mu.
func (k *Keeper) notify() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// poke lets run look for what is to be done.
func (k *Keeper) poke() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// heldError says why there is no call now, nil if nothing speaks against one. The caller has mu.
func (k *Keeper) heldError() *HeldError {
	if k.reason == "" {
		return nil
	}
	return &HeldError{Reason: k.reason, Code: k.code, Until: k.until}
}

// sees takes over how things stand. The caller has mu.
func (k *Keeper) sees(v view, now time.Time) {
	before := k.view
	k.view = v
	switch {
	case before.reason == "" && v.reason != "":
		k.shut(now)
		k.log.Warn("layer is left alone: no tasks are taken", "reason", string(v.reason), "code", v.code,
			"until", v.until.UTC().Round(time.Millisecond))
	case before.reason != "" && v.reason == "":
		k.window, k.opened, k.row, k.crowd, k.failures = 1, now, 0, 0, nil
		k.log.Info("layer is asked again: tasks are taken", "reason", string(before.reason), "took", now.Sub(k.shutAt).Round(time.Millisecond))
	}
	k.notify()
}

// passName names a pass in Redis.
func passName(worker string, n int) string { return worker + ":" + strconv.Itoa(n) }
