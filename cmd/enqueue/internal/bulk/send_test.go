package bulk_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/cmd/enqueue/internal/bulk"
	"github.com/layerq/layerq/tasks"
)

// flaky is a Redis that fails some calls.
type flaky struct {
	bulk.Enqueuer
	calls int
	// fails tells which calls fail, counted from 1, and whether their work was
	// done all the same.
	fails func(call int) (failed, done bool)
	err   error
}

func (f *flaky) EnqueueMany(ctx context.Context, requests []tasks.Request) ([]tasks.Answer, error) {
	f.calls++
	failed, done := f.fails(f.calls)
	if !failed {
		return f.Enqueuer.EnqueueMany(ctx, requests)
	}
	if done {
		if _, err := f.Enqueuer.EnqueueMany(ctx, requests); err != nil {
			return nil, err
		}
	}
	err := &tasks.RedisError{Addr: "127.0.0.1:1", Err: f.err}
	answers := make([]tasks.Answer, len(requests))
	for i := range answers {
		answers[i].Err = err
	}
	return answers, err
}

func TestRepliesThatAreLost(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	j.Queue = &flaky{Enqueuer: j.Queue, err: errors.New("EOF"), fails: func(call int) (failed, done bool) { return call == 1, true }}
	stream := strings.Repeat(`{"type":"user:block","args":{"owner":"a","user":"b"},"key":"k"}`+"\n", 2) + blocks(100)
	// What the first try enqueued is no duplicate, but the second line with the key is.
	want(t, run(t, j, stream), bulk.Summary{Read: 102, Enqueued: 101, Duplicate: 1})
	want(t, run(t, j, stream), bulk.Summary{Read: 102, Duplicate: 102})
}

func TestARedisThatComesBack(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	j.Queue = &flaky{Enqueuer: j.Queue, err: errors.New("LOADING"), fails: func(call int) (failed, done bool) { return call == 2 || call == 3, false }}
	want(t, run(t, j, blocks(1200)), bulk.Summary{Read: 1200, Enqueued: 1200})
}

func TestARedisThatStaysAway(t *testing.T) {
	t.Parallel()
	j, rejected := newJob(t)
	j.Patience = 10 * time.Millisecond
	j.Queue = &flaky{Enqueuer: j.Queue, err: errors.New("refused"), fails: func(call int) (failed, done bool) { return call > 1, false }}
	sum, err := j.Run(t.Context(), strings.NewReader(blocks(5000)))
	if _, ok := errors.AsType[*tasks.RedisError](err); !ok {
		t.Errorf("got %v", err)
	}
	if sum.Enqueued == 0 || sum.Failed == 0 || sum.Read != sum.Enqueued+sum.Failed || sum.Read == 5000 || len(*rejected) != 0 {
		t.Errorf("got %+v", sum)
	}
}

// What will not change is not tried again.
func TestARedisThatRefuses(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	refuses := &flaky{Enqueuer: j.Queue, err: redisRefusal("NOAUTH Authentication required."), fails: func(int) (failed, done bool) { return true, false }}
	j.Queue = refuses
	if _, err := j.Run(t.Context(), strings.NewReader(blocks(5))); err == nil || refuses.calls != 1 {
		t.Errorf("%v after %d calls", err, refuses.calls)
	}
}

// redisRefusal is an error that Redis itself answered.
type redisRefusal string

func (e redisRefusal) Error() string { return string(e) }
func (redisRefusal) RedisError()     {}

func TestInterruptedWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	j, _ := newJob(t)
	ctx, interrupt := context.WithCancel(t.Context())
	j.Queue = &flaky{Enqueuer: j.Queue, err: errors.New("refused"), fails: func(call int) (failed, done bool) {
		if call == 2 {
			interrupt()
		}
		return true, false
	}}
	sum, err := j.Run(ctx, strings.NewReader(blocks(5)))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	want(t, sum, bulk.Summary{Read: 5, Failed: 5})
}
