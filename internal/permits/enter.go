package permits

import (
	"context"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// soon is how long before the next permit comes free tasks are taken for it.
const soon = 250 * time.Millisecond

// entrant waits until a task of its queue may be taken.
type entrant struct {
	queue   string
	most    int
	entered chan struct{}
}

// Enter returns when there is use in taking a task of a queue: permits are to be had,
// or soon will be and fewer than most calls of the queue wait here. What waits in its queue in place of here
// is anybody's: it need not be handed back by a worker that stops, nor recovered from
// one that dies. Tasks of queue critical may always be taken, since those that wait here
// go before all others of the fleet. It fails when ctx ends.
func (l *Limiter) Enter(ctx context.Context, name string, most int) error {
	if name == queue.Critical {
		return ctx.Err()
	}
	l.mu.Lock()
	if l.closed || l.core.mayEnter(l.now(), name, most) {
		l.mu.Unlock()
		return ctx.Err()
	}
	e := &entrant{name, most, make(chan struct{})}
	l.entrants = append(l.entrants, e)
	l.step()
	l.mu.Unlock()
	select {
	case <-e.entered:
		return nil
	case <-ctx.Done():
	case <-l.done:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.entrants {
		if other == e {
			l.entrants = append(l.entrants[:i], l.entrants[i+1:]...)
			break
		}
	}
	return ctx.Err()
}

// admit lets in who may enter by now, and returns when the next one may at the earliest.
func (l *Limiter) admit(now time.Duration) time.Duration {
	kept := l.entrants[:0]
	for _, e := range l.entrants {
		if l.core.mayEnter(now, e.queue, e.most) {
			close(e.entered)
		} else {
			kept = append(kept, e)
		}
	}
	clear(l.entrants[len(kept):])
	l.entrants = kept
	if at := l.core.nextAt - soon; len(kept) > 0 && at > now {
		return at
	}
	return never
}

// mayEnter tells whether a task of a queue other than critical may be taken.
func (c *core) mayEnter(now time.Duration, name string, most int) bool {
	if c.left[others] == 0 || c.alone != nil {
		return true
	}
	return c.nextAt-now <= soon && c.waiting.count[name] < most
}
