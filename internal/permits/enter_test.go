package permits

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
)

// enters tells whether a task may be taken at once.
func enters(t *testing.T, l *Limiter, name string, most int) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := l.Enter(ctx, name, most)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return err == nil
}

// wait lets n calls wait until the returned function is called.
func wait(t *testing.T, l *Limiter, n int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, n)
	for range n {
		go func() {
			if release, err := l.Acquire(ctx); err == nil {
				release(done)
			}
			ended <- struct{}{}
		}()
	}
	eventually(t, "they wait", func() bool { return l.Snapshot().FleetWaiting >= n })
	return func() {
		cancel()
		for range n {
			<-ended
		}
	}
}

// While the next permit is an hour away, tasks stay in their queues but for the first, and
// but for critical ones.
func TestNoTaskIsTakenForAPermitFarAway(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, time.Hour}})
	release := acquire(t, l, t.Context())
	if !enters(t, l, queue.Default, 4) {
		t.Error("nobody waits, and no task may be taken")
	}
	defer wait(t, l, 1)()
	if enters(t, l, queue.Default, 4) || enters(t, l, queue.Bulk, 4) {
		t.Error("a task may be taken that would wait for an hour")
	}
	if !enters(t, l, queue.Critical, 4) {
		t.Error("a critical task may not be taken")
	}
	entered := make(chan error, 1)
	go func() { entered <- l.Enter(t.Context(), queue.Default, 4) }()
	release(layer.Answer{Err: layer.ErrNoAttempt}) // the permit is free again
	if err := <-entered; err != nil {
		t.Errorf("who waited to take a task: %v", err)
	}
}

// A little before the next permit comes free some tasks are taken for it.
func TestSomeTasksAreTakenForTheNextPermit(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, 200 * time.Millisecond}, AttemptTimeout: 10 * time.Millisecond})
	for range 3 {
		if err := l.Enter(t.Context(), queue.Default, 2); err != nil {
			t.Fatal(err)
		}
		acquire(t, l, t.Context())(done)
	}
	slow := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, 200 * time.Millisecond}, AttemptTimeout: 10 * time.Millisecond})
	slow.mu.Lock()
	slow.core.left[others], slow.core.nextAt = 2, slow.now()+soon/2
	for range 2 {
		slow.core.waiting.add(&waiter{queue: queue.Default, give: func(*permit) {}})
	}
	two, three := slow.core.mayEnter(slow.now(), queue.Default, 2), slow.core.mayEnter(slow.now(), queue.Default, 3)
	bulk, far := slow.core.mayEnter(slow.now(), queue.Bulk, 1), slow.core.mayEnter(slow.now()-soon, queue.Default, 3)
	slow.mu.Unlock()
	if two || !three || !bulk || far {
		t.Errorf("with two waiting and the next permit soon: %t with 2 at most, %t with 3, %t in another queue, %t if it is not soon", two, three, bulk, far)
	}
}

func TestEnterEndsWithTheLimiter(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, redistest.New(t), Options{Limit: Limit{1, time.Hour}})
	acquire(t, l, t.Context())
	defer wait(t, l, 1)()
	entered := make(chan error, 1)
	go func() { entered <- l.Enter(t.Context(), queue.Default, 4) }()
	eventually(t, "it waits", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.entrants) == 1 })
	l.Close()
	if err := <-entered; err != nil {
		t.Errorf("%v, want nothing that tells it from a limit that is free", err)
	}
}
