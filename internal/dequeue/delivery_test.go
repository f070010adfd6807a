package dequeue_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func TestDeliveryTellsWhatTheHashHolds(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	m := message(queue.Default)
	p := start(t, worker, func(ctx context.Context, _ *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		err := rdb.HSet(ctx, queue.TaskKey(queue.Default, id), queue.FieldResult, "done", queue.FieldAttempts, 1).Err()
		if err != nil {
			return err
		}
		return errors.New("the acknowledgement was lost")
	}, queue.Default)
	enqueue(t, rdb, m, time.Time{})
	want := []dequeue.Delivery{{Deliveries: 1}, {Result: []byte("done"), Attempts: 1, LastError: "the acknowledgement was lost", Deliveries: 2}}
	for i, d := range p.wait(t, 2)[:2] {
		if !d.HasSide {
			t.Errorf("delivery %d has no side data", i)
		}
		if diff := cmp.Diff(want[i], d.Side); diff != "" {
			t.Errorf("delivery %d (-want +got):\n%s", i, diff)
		}
	}
	if _, again := p.hook.Delivery(m.ID); again {
		t.Error("side data was handed out twice")
	}
}

func TestDeliveryOfATaskWithOddFields(t *testing.T) {
	t.Parallel()
	worker, rdb := newRDB(t)
	m := message(queue.Default)
	push(t, rdb, m.ID, "msg", m.Encode(), "state", "pending", queue.FieldAttempts, "many", queue.FieldDeliveries, "some")
	p := start(t, worker, nil, queue.Default)
	if diff := cmp.Diff(dequeue.Delivery{Deliveries: 1}, p.wait(t, 1)[0].Side); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSideDataIsBounded(t *testing.T) {
	t.Parallel()
	h := dequeue.New(redistest.New(t), dequeue.Options{})
	defer h.Close()
	for i := range dequeue.MaxDeliveries + 100 {
		h.Put(strconv.Itoa(i), dequeue.Delivery{})
	}
	if n := h.Kept(); n != dequeue.MaxDeliveries {
		t.Errorf("%d kept, want %d", n, dequeue.MaxDeliveries)
	}
	if _, ok := h.Delivery(uuid.NewString()); ok {
		t.Error("side data of a task that there is not")
	}
}
