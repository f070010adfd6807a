package worker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// requests is how many requests have begun at Layer.
func (r *rig) requests() int { return r.layer.Stats().Requests }

func TestDrain_lets_running_tasks_finish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.Fault(layertest.Rule{Latency: layertest.Duration(3 * time.Second), AfterCommit: true, Count: new(1)})
	p := r.worker(t, nil)
	running := r.enqueue(t, r.say("in flight"))
	r.wantState(t, running, tasks.StateActive)
	// A task whose call has not begun when the drain comes goes back at once.
	eventually(t, "the call is under way", func() bool { return r.requests() == 1 })

	p.stop()
	if reasons := p.Ready(t.Context()); !slices.Contains(reasons, "the worker is draining") {
		t.Errorf("ready while it drains: %q", reasons)
	}
	eventually(t, "the drain has begun", func() bool { return strings.Contains(p.log.String(), "worker drains") })
	late := r.enqueue(t, r.say("too late"))
	took, err := p.stopped(t)
	if err != nil || took > 6*time.Second {
		t.Errorf("Run returned %v after %v", err, took)
	}
	if info := r.wantState(t, running, tasks.StateCompleted); info.Attempts != 1 {
		t.Errorf("%d attempts", info.Attempts)
	}
	if info, err := r.tasks.Status(t.Context(), late); err != nil || info.State != tasks.StatePending {
		t.Errorf("a task that came during the drain: %v, %v", info, err)
	}
	r.layer.WantMessages(t, r.conv, "in flight")

	r.worker(t, nil)
	r.wantState(t, late, tasks.StateCompleted)
	r.layer.WantMessages(t, r.conv, "in flight", "too late")
}

// A call that is under way when the time is over is cut off, and the task goes
// back as it was, to the front of the queue. The work may have been done all the
// same: the dedupe UUID keeps it from being done twice.
func TestDrain_hands_back_what_takes_too_long(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.Fault(layertest.Rule{Latency: layertest.Duration(20 * time.Second), AfterCommit: true, Count: new(1)})
	p := r.worker(t, func(o *Options) { o.DrainTimeout = 300 * time.Millisecond })
	slowTask := r.enqueue(t, r.say("slow"))
	r.wantState(t, slowTask, tasks.StateActive)
	eventually(t, "the call is under way", func() bool { return r.requests() == 1 })

	took, err := p.stopped(t)
	if err != nil || took < 300*time.Millisecond || took > 5*time.Second {
		t.Errorf("Run returned %v after %v", err, took)
	}
	info, err := r.tasks.Status(t.Context(), slowTask)
	if err != nil || info.State != tasks.StatePending || info.Attempts != 0 || info.Error != "" {
		t.Errorf("the task is %+v, %v", info, err)
	}
	if got := counted(t, p.opts.Metrics, "handed_back"); got != 1 {
		t.Errorf("%v tasks were handed back", got)
	}
	if p.InFlight("default") != 0 {
		t.Error("the task still runs")
	}

	r.worker(t, nil)
	if info := r.wantState(t, slowTask, tasks.StateCompleted); info.Attempts != 1 {
		t.Errorf("%d attempts", info.Attempts)
	}
	r.layer.WantMessages(t, r.conv, "slow")
}

func TestDrain_ends_at_once_when_nothing_runs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.worker(t, nil)
	r.wantState(t, r.enqueue(t, r.say("done")), tasks.StateCompleted)
	if took, err := p.stopped(t); err != nil || took > p.opts.DrainTimeout/2 {
		t.Errorf("Run returned %v after %v", err, took)
	}
	if p.State() != "stopped" {
		t.Errorf("the worker is %s", p.State())
	}
}

func TestDrain_leaves_retries_scheduled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.RefuseNext(503, 503, 503)
	p := r.worker(t, func(o *Options) { o.RetryMin, o.RetryMax = time.Hour, time.Hour })
	id := r.enqueue(t, r.say("later"))
	before := r.wantState(t, id, tasks.StateRetry)
	if _, err := p.stopped(t); err != nil {
		t.Fatal(err)
	}
	after := r.wantState(t, id, tasks.StateRetry)
	if after.Attempts != 1 || !after.NextAttemptAt.Equal(before.NextAttemptAt) {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// asynq waits for Redis without a limit. A worker with nothing in hand does not.
func TestDrain_does_not_wait_for_a_Redis_that_hangs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.worker(t, nil)
	eventually(t, "it is ready", func() bool { return len(p.Ready(t.Context())) == 0 })
	r.redis.Freeze()
	if took, err := p.stopped(t); err != nil || took > handBackTime+2*time.Second {
		t.Errorf("Run returned %v after %v", err, took)
	}
	r.redis.Thaw()
	<-p.Worker.ended
}

// What is in hand cannot be handed back: other workers will run it again.
func TestDrain_says_what_it_leaves_behind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.layer.Fault(layertest.Rule{Latency: layertest.Duration(20 * time.Second), Count: new(1)})
	p := r.worker(t, func(o *Options) { o.DrainTimeout = 200 * time.Millisecond })
	r.wantState(t, r.enqueue(t, r.say("in hand")), tasks.StateActive)
	eventually(t, "the call is under way", func() bool { return r.requests() == 1 })
	r.redis.Freeze()
	took, err := p.stopped(t)
	if err == nil || !strings.Contains(err.Error(), "1 tasks in hand") || took > 10*time.Second {
		t.Errorf("Run returned %v after %v", err, took)
	}
	r.redis.Thaw()
	<-p.Worker.ended
}
