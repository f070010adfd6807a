package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// within fails the test unless a condition holds soon enough.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	start := time.Now()
	eventually(t, what, holds)
	if took := time.Since(start); took > limit {
		t.Errorf("%s took %v, want at most %v", what, took, limit)
	}
}

func TestOutage_of_Redis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		off, on  func(*testing.T, *rig)
		recovers time.Duration
	}{
		{"stopped", func(_ *testing.T, r *rig) { r.redis.Cut() }, func(t *testing.T, r *rig) { t.Helper(); r.redis.Restore(t) }, 5 * time.Second},
		{"frozen", func(_ *testing.T, r *rig) { r.redis.Freeze() }, func(_ *testing.T, r *rig) { r.redis.Thaw() }, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.worker(t, nil)
			r.wantState(t, r.enqueue(t, r.say("before")), tasks.StateCompleted)
			eventually(t, "it is ready", func() bool { return len(p.Ready(t.Context())) == 0 })

			c.off(t, r)
			within(t, 5*time.Second, "not being ready", func() bool {
				reasons := p.Ready(t.Context())
				return len(reasons) > 0 && strings.Contains(reasons[0], "Redis")
			})
			during := r.enqueue(t, r.say("during")) // the producer has a way of its own to Redis
			<-time.After(6 * time.Second)           // long enough for every part of asynq to fail and log

			c.on(t, r)
			within(t, c.recovers, "going on", func() bool {
				info, err := r.tasks.Status(t.Context(), during)
				return err == nil && info.State == tasks.StateCompleted
			})
			within(t, 5*time.Second, "being ready again", func() bool { return len(p.Ready(t.Context())) == 0 })
			r.layer.WantMessages(t, r.conv, "before", "during")
			if lines := strings.Count(p.log.String(), "\n"); lines > 10 {
				t.Errorf("%d lines were logged:\n%s", lines, p.log.String())
			}
		})
	}
}

// Containers start in any order.
func TestOutage_at_the_start(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.enqueue(t, r.say("waiting"))
	r.redis.Cut()
	p := r.worker(t, nil)
	within(t, 5*time.Second, "not being ready", func() bool { return len(p.Ready(t.Context())) > 0 })
	r.redis.Restore(t)
	within(t, 5*time.Second, "starting to work", func() bool {
		info, err := r.tasks.Status(t.Context(), id)
		return err == nil && info.State == tasks.StateCompleted
	})
}

// A stop keeps whoever has an answer of Layer until it may go on.
type stop struct{ reached, goOn chan struct{} }

func (s stop) Acquire(context.Context) (func(layer.Answer), error) {
	return func(layer.Answer) {
		select {
		case s.reached <- struct{}{}:
		default: // the test waits for the first one
		}
		<-s.goOn
	}, nil
}

// lost gets the id of a task that is done, but whose settling failed.
type lost chan string

func (l lost) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l lost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l lost) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if i := slices.Index(cmd.Args(), any(string(queue.VerdictDone))); err != nil && i > 1 {
			select {
			case l <- fmt.Sprint(cmd.Args()[i-2]):
			default: // it is known by now
			}
		}
		return err
	}
}

// The call succeeds, and Redis is away. Without patience the worker would
// forget that, and call again.
func TestOutage_between_the_call_and_its_record(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	answered, unsettled := stop{make(chan struct{}, 1), make(chan struct{})}, make(lost, 1)
	r.worker(t, func(o *Options) {
		o.API = r.layer.Client(t, layer.WithLimiter(answered))
		o.Redis.AddHook(unsettled)
	})
	id := r.enqueue(t, r.say("once"))
	<-answered.reached
	r.redis.Cut()
	close(answered.goOn)
	if task := <-unsettled; task != id.String() {
		t.Errorf("task %s could not be settled, want %s", task, id)
	}
	r.redis.Restore(t)
	if info := r.wantState(t, id, tasks.StateCompleted); info.Attempts != 1 || len(info.Result) == 0 {
		t.Errorf("%+v", info)
	}
	r.layer.WantRequests(t, 1)
	r.layer.WantMessages(t, r.conv, "once")
}
