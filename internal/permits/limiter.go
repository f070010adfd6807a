package permits

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/layer"
)

// ErrClosed is the error of [Limiter.Acquire] after [Limiter.Close].
var ErrClosed = errors.New("permits: the limiter is closed")

// Limiter keeps all processes that use the same Redis below one limit. It
// implements [layer.Limiter], and is safe for concurrent use.
type Limiter struct {
	set   settings
	auto  bool
	per   time.Duration
	store exchanger
	log   *slog.Logger
	clock time.Time // all times of the core are since this
	count *counters

	mu       sync.Mutex // guards what follows
	core     *core
	alarm    time.Duration // when run takes the next step
	closed   bool
	entrants []*entrant
	problem  error // of the last request that failed
	found    found // what was last told of a limit that is found out

	earlier chan struct{} // the alarm is too late
	done    chan struct{}
	running sync.WaitGroup // run
	sending sync.WaitGroup // requests
}

// exchanger runs the script.
type exchanger interface {
	exchange(ctx context.Context, req *request) (reply, error)
}

// New returns a limiter for this process, which has one of its own only. Its commands end in time only
// if rdb has ContextTimeoutEnabled. Close it when no call is left.
func New(rdb redis.UniversalClient, options Options) (*Limiter, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	return start(&store{rdb: rdb}, options), nil
}

func start(store exchanger, options Options) *Limiter {
	l := &Limiter{
		set: options.settings(), auto: options.Auto, per: options.Limit.Per,
		store: store, log: options.Log, clock: time.Now(),
		count: newCounters(), earlier: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.auto {
		l.per = autoWindow
	}
	l.core = newCore(l.set, strconv.FormatUint(rand.Uint64(), 36), rand.Float64)
	l.core.onAlone = l.logAlone
	l.running.Go(l.run)
	return l
}

// Acquire waits for a permit to make one attempt. Waiting calls of queue critical
// (see [WithQueue]), in whichever process, come first, then who came first in this process.
//
// It fails when ctx ends, at once and without using a permit up, and with
// [ErrClosed]. Not with Redis: while it does not answer, this process goes on alone.
// Call release once, when the attempt is over.
func (l *Limiter) Acquire(ctx context.Context) (release func(layer.Answer), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	began := time.Now()
	given := make(chan *permit, 1)
	w := &waiter{queue: queueOf(ctx), give: func(p *permit) { given <- p }}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, ErrClosed
	}
	l.core.wait(w)
	l.step()
	l.mu.Unlock()
	select {
	case p := <-given:
		l.count.wait.WithLabelValues(w.queue).Observe(time.Since(began).Seconds())
		return l.releaser(p), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-l.done:
		err = ErrClosed
	}
	l.mu.Lock()
	l.core.cancel(l.now(), w)
	l.step()
	l.mu.Unlock()
	return nil, err
}

func (l *Limiter) releaser(p *permit) func(layer.Answer) {
	var once sync.Once
	return func(answer layer.Answer) {
		once.Do(func() {
			l.count.answered(answer)
			l.mu.Lock()
			l.core.release(l.now(), p, answer)
			l.step()
			l.mu.Unlock()
		})
	}
}

// Close ends all waiting and tells Redis what it does not know yet, waiting for
// it up to 1.5 s. Permits that are still in use free themselves. Repeatable.
func (l *Limiter) Close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.done)
	}
	l.mu.Unlock()
	l.running.Wait()
}

func (l *Limiter) now() time.Duration { return time.Since(l.clock) }
