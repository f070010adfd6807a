package worker

import (
	"context"
	"sync"
	"time"
)

// A budget bounds the time that an execution takes, less that in which it waits
// for a permit: a limit of few calls an hour makes a task neither long nor ill.
type budget struct {
	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	left    time.Duration // when it last began to run
	running time.Time     // since when it runs
	pauses  int           // going on
}

// withBudget returns a context that ends with errTimeout when the budget is used up.
func withBudget(ctx context.Context, most time.Duration) (context.Context, *budget, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &budget{left: most, running: time.Now()}
	b.timer = time.AfterFunc(most, func() { cancel(errTimeout) })
	return ctx, b, func() { b.timer.Stop(); cancel(nil) }
}

// pause stops the clock until the returned function is called. Pauses may overlap.
func (b *budget) pause() (resume func()) {
	if b == nil { // a call that belongs to no execution
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pauses++; b.pauses == 1 {
		b.timer.Stop()
		b.left -= time.Since(b.running)
	}
	return b.resume
}

func (b *budget) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pauses--; b.pauses == 0 {
		b.running = time.Now()
		b.timer.Reset(b.left)
	}
}
