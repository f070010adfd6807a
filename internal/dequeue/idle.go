package dequeue

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// pausePoll is how often a paused queue is looked at.
	pausePoll = time.Second
	// heldPoll is how often a queue is looked at that is marked as held, though this process may take its tasks:
	// the mark is about to be taken away.
	heldPoll = 100 * time.Millisecond
	// errorPoll is how often Redis is asked while it fails: asynq itself asks
	// again without a break.
	errorPoll = time.Second
	// maxBackoff bounds how long a worker that found nothing after a push stays
	// away from the next one, see [waiter.lost].
	maxBackoff = 16 * time.Millisecond
)

// waiter waits for one queue on behalf of all servers in this process that ask for it.
type waiter struct {
	queue   string
	blocked func() error // returns nil when there is a push, redis.Nil when there was none for BlockTimeout
	closed  <-chan struct{}
	start   func(func()) bool // runs a goroutine that Close waits for; false when closed
	log     func(lost bool, err error)

	// turn is held by the one that waits for a push and then runs the script: a
	// push wakes one server, and the next only once that has taken its task.
	turn chan struct{}

	// Guarded by turn.
	push     chan error // receives the answer of the blocked command under way, nil if there is none
	asked    time.Time  // when that command was sent
	lost     int        // pushes in a row after which nothing was there
	failures int        // blocked commands in a row that failed

	polls atomic.Bool  // there are no pushes for now
	last  atomic.Int64 // when the script was run last, in Unix nanoseconds

	mu     sync.Mutex
	due    time.Time     // the earliest time at which something becomes runnable, zero if none is known
	sooner chan struct{} // receives when due was brought forward
}

// hint notes that a task is due at the given time.
func (w *waiter) hint(at time.Time) {
	w.mu.Lock()
	earlier := w.due.IsZero() || at.Before(w.due)
	if earlier {
		w.due = at
	}
	w.mu.Unlock()
	if earlier {
		select {
		case w.sooner <- struct{}{}:
		default:
		}
	}
}

// nextDue returns how long until something is due, at most limit.
func (w *waiter) nextDue(limit time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.due.IsZero() {
		return limit
	}
	return min(time.Until(w.due), limit)
}

// forget drops a time that has come: the script that runs now says what is next.
func (w *waiter) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Until(w.due) <= 0 {
		w.due = time.Time{}
	}
}

// await returns when it is worth to run the script again: true if a push or a due
// time says so, false if it should first go round through asynq, which takes a new lease.
// The caller has the turn.
func (w *waiter) await(ctx context.Context) bool {
	if !w.block(ctx) {
		return w.poll(ctx)
	}
	answer := time.NewTimer(w.overdue())
	defer answer.Stop()
	for {
		due := time.NewTimer(w.nextDue(2 * BlockTimeout))
		select {
		case err := <-w.push:
			due.Stop()
			w.push = nil
			return w.pushed(ctx, err)
		case <-due.C:
			w.forget()
			return true
		case <-w.sooner:
			due.Stop()
		case <-answer.C:
			due.Stop()
			return false
		case <-w.closed:
			due.Stop()
			return false
		case <-ctx.Done():
			due.Stop()
			return false
		}
	}
}

// overdue is how long to wait for the answer of the blocked command. One that
// should have come already is looked for once a second: the connection may be dead.
func (w *waiter) overdue() time.Duration {
	return max(time.Until(w.asked.Add(BlockTimeout+blockGrace)), errorPoll)
}

// block makes sure that a blocked command is under way.
func (w *waiter) block(ctx context.Context) bool {
	if w.push != nil {
		return true
	}
	if w.lost > 0 && !w.sleep(ctx, rand.N(min(time.Millisecond<<min(w.lost, 10), maxBackoff))) {
		return false
	}
	push := make(chan error, 1)
	if !w.start(func() { push <- w.blocked() }) {
		return false
	}
	w.push, w.asked = push, time.Now()
	return true
}

// pushed decides what the answer of the blocked command means.
func (w *waiter) pushed(ctx context.Context, err error) bool {
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		if w.failures > 1 {
			w.polls.Store(false)
			w.log(false, nil)
		}
		w.failures = 0
		return err == nil
	case w.failures == 0 || w.failures == 1 && time.Since(w.asked) > errorPoll:
		// A connection was cut: look at once whether Redis is there and what came meanwhile.
		w.failures = 1
		return true
	}
	if w.failures++; w.failures == 2 {
		w.polls.Store(true)
		w.log(true, err)
	}
	return w.poll(ctx)
}

// poll is what is left when there is no push to wait for. A hint ends it early.
func (w *waiter) poll(ctx context.Context) bool {
	over := time.Now().Add(errorPoll)
	for {
		timer := time.NewTimer(w.nextDue(time.Until(over)))
		select {
		case <-w.sooner:
			timer.Stop()
			continue
		case <-timer.C:
			w.forget()
		case <-w.closed:
		case <-ctx.Done():
		}
		timer.Stop()
		return false
	}
}

// moved notes that this process has moved a task on, and so perhaps made another runnable: the next of a lane, or the next suspect. A push
// tells of it, where there are pushes.
func (w *waiter) moved() {
	if w.polls.Load() {
		w.hint(time.Now())
	}
}

// sleep returns false if it was ended early.
func (w *waiter) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.closed:
	case <-ctx.Done():
	}
	return false
}

// found notes what the script found after a push. With many idle workers each
// push wakes all of them, and one gets the task. Those that come too late stay away
// for some random milliseconds, more the more often it happens; the others are there meanwhile.
func (w *waiter) found(something bool) {
	if something {
		w.lost = 0
	} else {
		w.lost++
	}
}
