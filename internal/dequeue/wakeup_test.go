package dequeue_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

// soon is what counts as a wake-up: far less than the time after which an idle
// worker looks by itself, far more than a busy test machine needs.
const soon = dequeue.BlockTimeout / 3

func TestAnythingThatMakesATaskRunnableWakesAWorker(t *testing.T) {
	t.Parallel()
	const q = queue.Default
	for _, tc := range []struct {
		name string
		// first brings the task into its state before the worker starts; run makes it runnable.
		first func(ctx context.Context, rdb redis.UniversalClient, m *queue.Message) error
		run   func(ctx context.Context, rdb redis.UniversalClient, m *queue.Message) error
	}{
		{"our producer", nothing, enqueueNow},
		{"asynq's producer", nothing, func(_ context.Context, rdb redis.UniversalClient, m *queue.Message) error {
			_, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask(m.Type, nil), asynq.TaskID(m.ID))
			return err
		}},
		{"a run by hand of a scheduled task", enqueueLater, runTask},
		{"a run by hand of an archived task", enqueueArchived, runTask},
		{"a run by hand of all archived tasks", enqueueArchived, func(_ context.Context, rdb redis.UniversalClient, _ *queue.Message) error {
			_, err := asynq.NewInspectorFromRedisClient(rdb).RunAllArchivedTasks(q)
			return err
		}},
		{"a worker that goes away", nothing, func(ctx context.Context, rdb redis.UniversalClient, m *queue.Message) error {
			// What asynq's requeue script does.
			rdb.HSet(ctx, queue.TaskKey(q, m.ID), "msg", m.Encode(), "state", "pending")
			return rdb.RPush(ctx, queue.PendingKey(q), m.ID).Err()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			worker, other := newRDB(t)
			m := message(q)
			if err := tc.first(t.Context(), other, m); err != nil {
				t.Fatal(err)
			}
			p := start(t, worker, nil, q)
			p.idle(t, 1)
			began := time.Now()
			if err := tc.run(t.Context(), other, m); err != nil {
				t.Fatal(err)
			}
			if took := p.wait(t, 1)[0].At.Sub(began); took > soon {
				t.Errorf("picked up after %s", took)
			}
		})
	}
}

func nothing(context.Context, redis.UniversalClient, *queue.Message) error { return nil }

func enqueueNow(ctx context.Context, rdb redis.UniversalClient, m *queue.Message) error {
	_, err := queue.NewStore(rdb).Enqueue(ctx, []queue.Entry{{Message: m}})
	return err
}

func enqueueLater(ctx context.Context, rdb redis.UniversalClient, m *queue.Message) error {
	_, err := queue.NewStore(rdb).Enqueue(ctx, []queue.Entry{{Message: m, ProcessAt: time.Now().Add(time.Hour)}})
	return err
}

func enqueueArchived(ctx context.Context, rdb redis.UniversalClient, m *queue.Message) error {
	return errors.Join(enqueueLater(ctx, rdb, m), asynq.NewInspectorFromRedisClient(rdb).ArchiveTask(m.Queue, m.ID))
}

func runTask(_ context.Context, rdb redis.UniversalClient, m *queue.Message) error {
	return asynq.NewInspectorFromRedisClient(rdb).RunTask(m.Queue, m.ID)
}

func TestScheduledTaskRunsWhenItIsDue(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	m := message(queue.Default)
	enqueue(t, other, m, time.Now().Add(1500*time.Millisecond))
	rec, err := queue.NewStore(other).Find(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, worker, nil, queue.Default)
	at := p.wait(t, 1)[0].At
	if late := at.Sub(rec.NextProcessAt); late < -10*time.Millisecond || late > soon {
		t.Errorf("ran %s after its time", late)
	}
}

// A worker that blocks already must hear of a task that another process schedules
// for a time before its wait is over.
func TestTaskForTheNextMomentIsNotLate(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Default)
	p.idle(t, 1) // it blocks for almost BlockTimeout
	m := message(queue.Default)
	enqueue(t, other, m, time.Now().Add(time.Second))
	rec, err := queue.NewStore(other).Find(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if late := p.wait(t, 1)[0].At.Sub(rec.NextProcessAt); late < -10*time.Millisecond || late > 500*time.Millisecond {
		t.Errorf("ran %s after its time", late)
	}
}

// A retry is settled through the hook, so the wait of the same process ends in time for it.
func TestRetryRunsWhenItIsDue(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	attempts := 0
	p := start(t, worker, func(context.Context, *asynq.Task) error {
		if attempts++; attempts == 1 {
			return errors.New("once more")
		}
		return nil
	}, queue.Default)
	p.idle(t, 1)
	enqueue(t, other, message(queue.Default), time.Time{})
	d := p.wait(t, 2)
	// The delay is 1 s, up to the next full second.
	if gap := d[1].At.Sub(d[0].At); gap < time.Second-10*time.Millisecond || gap > 2*time.Second+soon {
		t.Errorf("second attempt after %s, want 1 s at least and 2 at most", gap)
	}
}

func TestTasksRunInTheOrderOfTheQueue(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	store := queue.NewStore(other)
	var entries []queue.Entry
	var want []string
	for range 150 {
		m := message(queue.Default)
		entries, want = append(entries, queue.Entry{Message: m}), append(want, m.ID)
	}
	if _, err := store.Enqueue(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	// Those that are due go behind those that are pending, as asynq's forwarder has it.
	for i := range 150 {
		m := message(queue.Default)
		other.HSet(t.Context(), queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "scheduled")
		other.ZAdd(t.Context(), queue.ScheduledKey(queue.Default), redis.Z{Score: float64(i), Member: m.ID})
		want = append(want, m.ID)
	}
	p := start(t, worker, nil, queue.Default)
	var order []string
	worker.AddHook(taken(func(id string) { order = append(order, id) }))
	p.wait(t, len(want))
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// taken sees the ids that our script hands out, in their order.
type taken func(id string)

func (f taken) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f taken) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if r, ok := cmd.(*redis.Cmd); ok && dequeue.IsTake(cmd) {
			if fields, err := r.Slice(); err == nil && fields[0] == "task" {
				f(fields[3].(string)) //nolint:errcheck // a panic is what a test wants here
			}
		}
		return err
	}
}

func (f taken) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestSeveralServersOfAQueueShareTheWait(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Default, queue.Default, queue.Default, queue.Default)
	p.idle(t, 4)
	before := p.scripts.Load()
	const n = 20
	for range n {
		have := len(p.deliveries())
		began := time.Now()
		enqueue(t, other, message(queue.Default), time.Time{})
		if took := p.wait(t, have+1)[have].At.Sub(began); took > soon {
			t.Errorf("picked up after %s", took)
		}
	}
	// For each task the server that waits looks once after the push, and once for the next.
	if per := float64(p.scripts.Load()-before) / n; per > 3.5 {
		t.Errorf("%.1f looks for each task, want 2 to 3: a push woke more than one server", per)
	}
}

func TestOtherQueuesAreNotDisturbed(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Names...)
	p.idle(t, 3)
	began := time.Now()
	for _, q := range queue.Names {
		enqueue(t, other, message(q), time.Time{})
	}
	for _, d := range p.wait(t, 3) {
		if took := d.At.Sub(began); took > soon {
			t.Errorf("picked up after %s", took)
		}
	}
}

func TestCloseReleasesEveryWaitAtOnce(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Critical, queue.Default, queue.Default)
	p.idle(t, 3)
	began := time.Now()
	p.hook.Close()
	if took := time.Since(began); took > soon {
		t.Errorf("Close took %s", took)
	}
	p.hook.Close()

	// What comes now is left for another worker.
	m := message(queue.Default)
	enqueue(t, other, m, time.Time{})
	looks := p.scripts.Load()
	<-time.After(50 * time.Millisecond)
	if rec, err := queue.NewStore(other).Find(t.Context(), m.ID); err != nil || rec.State != queue.Pending {
		t.Errorf("the task is %+v, %v, want pending", rec, err)
	}
	if n := p.scripts.Load(); n != looks {
		t.Errorf("%d looks after Close", n-looks)
	}
}

func TestWorkingClusterClient(t *testing.T) {
	t.Parallel()
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	worker := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{opts.Addr},
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: opts.Addr}}}}, nil
		},
		OnConnect: func(ctx context.Context, cn *redis.Conn) error { return cn.Select(ctx, opts.DB).Err() },
	})
	t.Cleanup(func() { _ = worker.Close() })
	p := start(t, worker, nil, queue.Names...)
	p.idle(t, 3)
	other := redistest.New(t)
	for _, q := range queue.Names {
		began := time.Now()
		m := message(q)
		enqueue(t, other, m, time.Time{})
		eventually(t, "delivery", func() bool {
			return slices.ContainsFunc(p.deliveries(), func(d delivery) bool { return d.ID == m.ID })
		})
		if took := time.Since(began); took > soon {
			t.Errorf("queue %s: picked up after %s", q, took)
		}
	}
}

// A push wakes every process that waits, and one of them gets the task. Those
// that come too late again and again stay away for some milliseconds.
func TestManyIdleWorkersDoNotStampede(t *testing.T) {
	t.Parallel()
	const workers, tasks = 16, 60
	other := redistest.New(t)
	var pools []*pool
	for range workers {
		pools = append(pools, start(t, redistest.New(t), nil, queue.Default))
	}
	looks, done := 0, 0
	count := func() {
		looks, done = 0, 0
		for _, p := range pools {
			looks += int(p.scripts.Load())
			done += len(p.deliveries())
		}
	}
	for _, p := range pools {
		p.idle(t, 1)
	}
	count()
	before, began := looks, time.Now()
	var slowest time.Duration
	for n := range tasks {
		pushed := time.Now()
		enqueue(t, other, message(queue.Default), time.Time{})
		eventually(t, "delivery", func() bool { count(); return done > n })
		slowest = max(slowest, time.Since(pushed))
	}
	t.Logf("%d tasks in %s, slowest %s, %.1f looks each", tasks, time.Since(began), slowest, float64(looks-before)/tasks)
	if slowest > dequeue.BlockTimeout { // sixteen pools on an embedded Redis keep a test machine busy
		t.Errorf("slowest was picked up after %s", slowest)
	}
	if per := float64(looks-before) / tasks; per > 2*workers {
		t.Errorf("%.1f looks for each task, want about one for each of the %d workers at most", per, workers)
	}
}
