package worker

import (
	"context"
	"time"

	"github.com/layerq/layerq/internal/redischeck"
)

type state int32

const (
	starting state = iota
	running
	draining
	stopped
)

func (s state) String() string {
	switch s {
	case starting:
		return "starting"
	case running:
		return "running"
	case draining:
		return "draining"
	case stopped:
		return "stopped"
	}
	return "unknown"
}

// State says in one word what the worker does. From the moment in which Run's
// context ends it is "draining".
func (w *Worker) State() string {
	s := state(w.state.Load())
	if ctx := w.stopped.Load(); s == running && ctx != nil && (*ctx).Err() != nil {
		s = draining
	}
	return s.String()
}

// readyTimeout is how long Redis has to answer to a worker that calls itself ready.
const readyTimeout = 1500 * time.Millisecond

// Ready returns why the worker takes no tasks, one sentence each, or nothing if
// it does. It asks Redis, and returns within two seconds.
func (w *Worker) Ready(ctx context.Context) []string {
	var reasons []string
	if s := w.State(); s != running.String() {
		reasons = append(reasons, "the worker is "+s)
	}
	if err := w.askRedis(ctx); err != nil {
		reasons = append(reasons, "Redis "+redischeck.Explain(err))
	}
	return reasons
}

// askRedis reports whether Redis answers now, and whether it answered when the
// worker last asked for tasks: a Redis that answers PING may still refuse scripts.
func (w *Worker) askRedis(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	asked := make(chan error, 1)
	go func() { asked <- w.opts.Status.Ping(ctx).Err() }()
	select {
	case err := <-asked:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		// The client may be configured to wait longer than a context.
		return context.DeadlineExceeded
	}
	_, err := w.hook.Health()
	return err
}
