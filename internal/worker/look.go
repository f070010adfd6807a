package worker

import (
	"context"
	"sync"
	"time"
)

// lookTimeout is the longest that one look may take.
const lookTimeout = 2 * time.Second

// A look asks Redis for what costs it work, for all who want it: one asks, the others
// wait for that, and what comes back serves whoever comes within keep.
type look[T any] struct {
	ask  func(context.Context) (T, error)
	keep time.Duration // how old what was found may be; a failure is not kept for longer than cacheTime

	mu     sync.Mutex // guards what follows
	at     time.Time  // when it was asked last
	value  T
	err    error
	asking chan struct{} // closed when the look under way is over; nil if there is none
}

// get returns what was found, or ctx's error if that ends before it is found.
func (l *look[T]) get(ctx context.Context) (T, error) {
	l.mu.Lock()
	asking := l.asking
	switch {
	case asking != nil:
	case l.fresh():
		defer l.mu.Unlock()
		return l.value, l.err
	default:
		asking = make(chan struct{})
		l.asking = asking
		// What the others wait for does not end with the first who asked.
		go l.find(context.WithoutCancel(ctx), asking)
	}
	l.mu.Unlock()
	select {
	case <-asking:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.value, l.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (l *look[T]) fresh() bool {
	keep := l.keep
	if l.err != nil {
		keep = min(keep, cacheTime)
	}
	return !l.at.IsZero() && time.Since(l.at) < keep
}

func (l *look[T]) find(ctx context.Context, asking chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	value, err := l.ask(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.value, l.err, l.at, l.asking = value, err, time.Now(), nil
	close(asking)
}
