package tasks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/redistest"
)

func TestRedisThatNeverAnswers(t *testing.T) {
	t.Parallel()
	proxy := redistest.NewProxy(t)
	c, err := NewClientFromRedis(proxy.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	c.patience = 50 * time.Millisecond
	proxy.Freeze()
	t.Cleanup(proxy.Thaw)

	requests := make([]Request, 3*batchTasks)
	for i := range requests {
		requests[i].Task = BlockUser{Owner: "ana", User: "boris"}
	}
	start := time.Now()
	answers, err := c.EnqueueMany(context.WithoutCancel(t.Context()), requests)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if !errors.Is(err, errPatience) || !errors.Is(answers[0].Err, errPatience) {
		t.Errorf("%v, %v, want the end of the client's patience", err, answers[0].Err)
	}
	// The others would each have cost the same time.
	last, ok := errors.AsType[*RedisError](answers[len(answers)-1].Err)
	if !ok || !errors.Is(last, errNotTried) || last.ID.Version() != 4 {
		t.Errorf("the last: %v", answers[len(answers)-1].Err)
	}
	if _, err := c.Status(context.WithoutCancel(t.Context()), someID); !errors.Is(err, errPatience) {
		t.Errorf("Status: %v", err)
	}
}
