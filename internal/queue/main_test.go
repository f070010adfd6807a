package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// message is one as tasks enqueues it.
func message(q string) *queue.Message {
	return &queue.Message{
		Type:      "message:send",
		Payload:   []byte(`{"v":1,"args":{}}`),
		Headers:   map[string]string{queue.HeaderEnqueuedAt: queue.FormatTime(time.Now())},
		ID:        uuid.NewString(),
		Queue:     q,
		Retry:     queue.MaxRetry,
		Timeout:   3600,
		Retention: 86400,
	}
}

// enqueue enqueues one message and fails the test unless it was new.
func enqueue(t *testing.T, s *queue.Store, m *queue.Message, at time.Time) {
	t.Helper()
	answers, err := s.Enqueue(t.Context(), []queue.Entry{{Message: m, ProcessAt: at}})
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Existing != nil {
		t.Fatalf("task %s was there already: %+v", m.ID, answers[0].Existing)
	}
}

// serve runs a bare asynq server of one queue until the test ends.
func serve(t *testing.T, rdb redis.UniversalClient, q string, handle func(context.Context, *asynq.Task) error) {
	t.Helper()
	srv := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency:       1,
		Queues:            map[string]int{q: 1},
		TaskCheckInterval: time.Millisecond,
		LogLevel:          asynq.FatalLevel,
		RetryDelayFunc:    func(int, error, *asynq.Task) time.Duration { return time.Hour },
	})
	if err := srv.Start(asynq.HandlerFunc(handle)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
}

var eventually = redistest.Eventually
