package dequeue_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
)

// A task that is found while the hook closes goes back as it was, also where Redis refuses that at first.
func TestWhatIsFoundTooLateGoesBack(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	hook := new(lateClose)
	worker.AddHook(hook)
	p := start(t, worker, nil, queue.Default)
	hook.of.Store(p.hook)
	m := message(queue.Default)
	enqueue(t, rdb, m, time.Time{})
	var task map[string]string
	eventually(t, "the task is back", func() bool {
		task = rdb.HGetAll(t.Context(), queue.TaskKey(queue.Default, m.ID)).Val()
		return hook.refused.Load() && task["state"] == "pending"
	})
	if task[queue.FieldDeliveries] != "0" {
		t.Errorf("%s deliveries, want 0: nobody has had it", task[queue.FieldDeliveries])
	}
	if n := rdb.LLen(t.Context(), queue.ActiveKey(queue.Default)).Val(); n != 0 {
		t.Errorf("%d are active, want none", n)
	}
}

// lateClose closes a hook when a task was found, and refuses it the first time that it is put back.
type lateClose struct {
	of             atomic.Pointer[dequeue.Hook]
	found, refused atomic.Bool
}

func (l *lateClose) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *lateClose) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l *lateClose) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c, script := cmd.(*redis.Cmd)
		if script && l.found.Load() && slices.Contains(c.Args(), any(string(queue.VerdictBack))) && l.refused.CompareAndSwap(false, true) {
			c.SetErr(refusal{})
			return refusal{}
		}
		err := next(ctx, cmd)
		if script && err == nil && dequeue.IsTake(cmd) {
			if reply, err := c.Slice(); err == nil && reply[0] == string(queue.FoundTask) && l.found.CompareAndSwap(false, true) {
				l.of.Load().Close()
			}
		}
		return err
	}
}

type refusal struct{}

func (refusal) Error() string { return "LOADING Redis is loading the dataset in memory" }

func (refusal) RedisError() {}

// A process that was stopped between two steps may take its own task again: the first delivery is never handed over.
func TestADeliveryThatIsReplacedReleasesItsPass(t *testing.T) {
	t.Parallel()
	_, rdb := newRDB(t)
	hook := dequeue.New(rdb, dequeue.Options{})
	t.Cleanup(hook.Close)
	m := message(queue.Default)
	take := func() (*dequeue.Delivery, *counting) {
		pass := new(counting)
		d := dequeue.NewDelivery(queue.Default, queue.Taken{ID: m.ID}, m, pass, time.Now())
		hook.Took(d)
		return d, pass
	}
	_, first := take()
	second, pass := take()
	if first.released != 1 || pass.released != 0 {
		t.Errorf("released %d and %d times, want the first alone", first.released, pass.released)
	}
	if d := hook.Delivery(queue.Default, m.ID); d != second {
		t.Fatalf("%+v, want the second", d)
	}
	third, last := take()
	if pass.released != 0 {
		t.Error("the pass of a delivery that the worker has was released")
	}
	hook.Done(second)
	hook.Done(third)
	if first.released != 1 || pass.released != 1 || last.released != 1 {
		t.Errorf("released %d, %d and %d times, want each once", first.released, pass.released, last.released)
	}
}

type counting struct{ released int }

func (*counting) Probe() bool { return false }

func (*counting) Any() bool { return false }

func (c *counting) Release() { c.released++ }
