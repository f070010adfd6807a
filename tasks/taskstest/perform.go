package taskstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// startInterval is how often [Recorder.Start] looks for new tasks.
const startInterval = 2 * time.Millisecond

// Perform executes every task that is not finished, in the order in which they
// were enqueued, and then those scheduled for later, as if their time had come. It
// returns what became of each. A task that Layer refuses is archived and fails
// the test: see [Recorder.TryPerform].
func (r *Recorder) Perform(t testing.TB, api *layer.Client, opts ...tasks.PerformOption) []*tasks.Info {
	t.Helper()
	done := r.TryPerform(t, api, opts...)
	for _, info := range done {
		if info.State == tasks.StateArchived {
			t.Errorf("taskstest: %s %s: %s", info.Type, info.ID, info.Error)
		}
	}
	return done
}

// TryPerform is Perform for tests that expect a task to fail: it is archived,
// its Error says why.
func (r *Recorder) TryPerform(t testing.TB, api *layer.Client, opts ...tasks.PerformOption) []*tasks.Info {
	t.Helper()
	done, err := r.performAll(context.WithoutCancel(t.Context()), performer{api, opts}, true)
	if err != nil {
		t.Fatalf("taskstest: %v", err)
	}
	return done
}

// Start executes tasks as they come, until the test ends: for code that
// enqueues and then waits. It leaves those alone that are scheduled for later.
func (r *Recorder) Start(t testing.TB, api *layer.Client, opts ...tasks.PerformOption) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(startInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if _, err := r.performAll(ctx, performer{api, opts}, false); err != nil && ctx.Err() == nil {
				t.Errorf("taskstest: %v", err)
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// performAll executes what may run now, and with later also what is scheduled.
func (r *Recorder) performAll(ctx context.Context, p performer, later bool) ([]*tasks.Info, error) {
	r.performing.Lock()
	defer r.performing.Unlock()
	done, err := r.performDue(ctx, p)
	if err != nil || !later {
		return done, err
	}
	if err := r.makeDue(ctx); err != nil {
		return done, err
	}
	more, err := r.performDue(ctx, p)
	return append(done, more...), err
}

func (r *Recorder) performDue(ctx context.Context, p performer) ([]*tasks.Info, error) {
	var done []*tasks.Info
	for {
		taken, m, ok, err := r.take(ctx)
		if err != nil || !ok {
			return done, err
		}
		info, err := r.performOne(ctx, p, taken, m)
		if err != nil {
			return done, err
		}
		done = append(done, info)
	}
}

func (r *Recorder) performOne(ctx context.Context, p performer, taken queue.Taken, m *queue.Message) (*tasks.Info, error) {
	id, err := tasks.ParseID(m.ID)
	if err != nil {
		return nil, err
	}
	result, failure := p.execute(ctx, m)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if failure != nil {
		err = r.archive(ctx, taken, m, failure)
	} else {
		err = r.complete(ctx, taken, m, result)
	}
	if err != nil {
		return nil, fmt.Errorf("finish %s: %w", id, err)
	}
	return r.client.Status(ctx, id)
}

// performer stands in for a worker.
type performer struct {
	api  *layer.Client
	opts []tasks.PerformOption
}

var errExpired = errors.New("expired before it was executed")

func (p performer) execute(ctx context.Context, m *queue.Message) (tasks.Result, error) {
	if end := m.ExpiresAt(); !end.IsZero() && !end.After(time.Now()) {
		return tasks.Result{}, errExpired
	}
	task, err := tasks.Decode(m.Type, m.Payload)
	if err != nil {
		return tasks.Result{}, err
	}
	id, err := tasks.ParseID(m.ID)
	if err != nil {
		return tasks.Result{}, err
	}
	return tasks.Perform(ctx, p.api, id, task, p.opts...)
}
