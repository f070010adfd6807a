package tasks_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/tasks/taskstest"
)

func TestWaitForTheResult(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	rec.Start(t, srv.Client(t))
	info := enqueue(t, rec.Client(), tasks.CreateConversation{Participants: []string{"ana", "boris"}})
	done, err := rec.Client().Wait(t.Context(), info.ID)
	if err != nil {
		t.Fatal(err)
	}
	result, err := done.DecodeResult()
	if err != nil || result.ConversationID.UUID() != info.ID || done.State != tasks.StateCompleted || done.Attempts != 1 || done.CompletedAt.IsZero() {
		t.Errorf("%+v, %v, %v", done, result, err)
	}
}

func TestWaitReturnsArchivedTasks(t *testing.T) {
	t.Parallel()
	rec, srv := taskstest.NewRecorder(t), layertest.NewServer(t)
	rec.Start(t, srv.Client(t))
	info := enqueue(t, rec.Client(), tasks.SendMessage{Conversation: layer.ConversationID(uuid.New()), Sender: layer.FromName("a"), Parts: []tasks.Part{tasks.Text("b")}})
	done, err := rec.Client().Wait(t.Context(), info.ID)
	if err != nil || done.State != tasks.StateArchived || done.Error == "" {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	info := enqueue(t, c, block)
	var last *tasks.Info
	var err error
	// On a busy machine the first answer may take longer than any fixed time.
	for wait := 30 * time.Millisecond; last == nil && wait < time.Minute; wait *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		last, err = c.Wait(ctx, info.ID)
		cancel()
	}
	want := "tasks: waiting for " + info.ID.String() + ", which is pending: context deadline exceeded"
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want || last == nil || last.State != tasks.StatePending {
		t.Errorf("%+v, %v", last, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Wait(ctx, info.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestWaitForNothing(t *testing.T) {
	t.Parallel()
	if _, err := newClient(t).Wait(t.Context(), uuid.New()); !errors.Is(err, tasks.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
