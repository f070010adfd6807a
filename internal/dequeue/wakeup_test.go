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
	type step func(t *testing.T, rdb redis.UniversalClient) // makes one task runnable
	archive := func(t *testing.T, rdb redis.UniversalClient) (insp *asynq.Inspector, id string) {
		t.Helper()
		m := message(queue.Default)
		enqueue(t, rdb, m, time.Now().Add(time.Hour))
		insp = asynq.NewInspectorFromRedisClient(rdb)
		if err := insp.ArchiveTask(queue.Default, m.ID); err != nil {
			t.Fatal(err)
		}
		return insp, m.ID
	}
	for _, tc := range []struct {
		name    string
		prepare func(t *testing.T, rdb redis.UniversalClient) step
	}{
		{"our producer", func(*testing.T, redis.UniversalClient) step {
			return func(t *testing.T, rdb redis.UniversalClient) { enqueue(t, rdb, message(queue.Default), time.Time{}) }
		}},
		{"asynq's producer", func(*testing.T, redis.UniversalClient) step {
			return func(t *testing.T, rdb redis.UniversalClient) {
				if _, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("a:b", nil)); err != nil {
					t.Error(err)
				}
			}
		}},
		{"a run by hand of a scheduled task", func(t *testing.T, rdb redis.UniversalClient) step {
			m := message(queue.Default)
			enqueue(t, rdb, m, time.Now().Add(time.Hour))
			return func(t *testing.T, rdb redis.UniversalClient) {
				if err := asynq.NewInspectorFromRedisClient(rdb).RunTask(queue.Default, m.ID); err != nil {
					t.Error(err)
				}
			}
		}},
		{"a run by hand of an archived task", func(t *testing.T, rdb redis.UniversalClient) step {
			insp, id := archive(t, rdb)
			return func(t *testing.T, _ redis.UniversalClient) {
				if err := insp.RunTask(queue.Default, id); err != nil {
					t.Error(err)
				}
			}
		}},
		{"a run by hand of all archived tasks", func(t *testing.T, rdb redis.UniversalClient) step {
			insp, _ := archive(t, rdb)
			return func(t *testing.T, _ redis.UniversalClient) {
				if _, err := insp.RunAllArchivedTasks(queue.Default); err != nil {
					t.Error(err)
				}
			}
		}},
		{"a worker that goes away", func(*testing.T, redis.UniversalClient) step {
			return func(t *testing.T, rdb redis.UniversalClient) { // what asynq's requeue script does
				m := message(queue.Default)
				rdb.HSet(t.Context(), queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "pending")
				rdb.RPush(t.Context(), queue.PendingKey(queue.Default), m.ID)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			worker, other := newRDB(t)
			run := tc.prepare(t, other)
			p := start(t, worker, nil, queue.Default)
			p.idle(t, 1)
			began := time.Now()
			run(t, other)
			if took := p.wait(t, 1)[0].At.Sub(began); took > soon {
				t.Errorf("picked up after %s", took)
			}
		})
	}
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

// A retry is stored by asynq through the hook's client, so the wait of the same process ends in time for it.
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
	// The delay is 1 s, and asynq cuts the time down to whole seconds.
	if gap := d[1].At.Sub(d[0].At); gap > time.Second+soon {
		t.Errorf("second attempt after %s, want 1 s at most", gap)
	}
}

func TestDueBringsTheNextLookForward(t *testing.T) {
	t.Parallel()
	worker, other := newRDB(t)
	p := start(t, worker, nil, queue.Default)
	p.idle(t, 1)
	// Unknown to the waiting worker, as nothing is pushed when a task is put into the set.
	m := message(queue.Default)
	other.HSet(t.Context(), queue.TaskKey(queue.Default, m.ID), "msg", m.Encode(), "state", "scheduled")
	other.ZAdd(t.Context(), queue.ScheduledKey(queue.Default), redis.Z{Score: 1, Member: m.ID})
	began := time.Now()
	p.hook.Due(queue.Default, began.Add(50*time.Millisecond))
	if took := p.wait(t, 1)[0].At.Sub(began); took > soon {
		t.Errorf("looked after %s, want 50 ms", took)
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
		if r, ok := cmd.(*redis.SliceCmd); ok && len(r.Val()) == 7 {
			f(r.Val()[2].(string)) //nolint:errcheck // a panic is what a test wants here
		}
		return err
	}
}

func (f taken) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook { return next }

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
