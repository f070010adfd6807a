package tasks

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
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

// deadlines notes until when each command has time.
type deadlines struct {
	of map[string][]time.Time // by command
}

func (d *deadlines) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if until, ok := ctx.Deadline(); ok {
			d.of[cmd.Name()] = append(d.of[cmd.Name()], until)
		}
		return next(ctx, cmd)
	}
}

func (*deadlines) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*deadlines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// However large an archive is, each round trip has the same time.
func TestPatienceIsOfARoundTrip(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	archive := make([]redis.Z, 12_000)
	for i := range archive {
		archive[i] = redis.Z{Score: float64(i), Member: fmt.Sprintf("%05d", i)}
	}
	if err := rdb.ZAdd(t.Context(), queue.ArchivedKey("default"), archive...).Err(); err != nil {
		t.Fatal(err)
	}
	seen := &deadlines{of: map[string][]time.Time{}}
	rdb.AddHook(seen)
	c, err := NewClientFromRedis(rdb)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range c.Archived(context.WithoutCancel(t.Context()), Filter{Queue: "default"}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for command, want := range map[string]int{"zrangebyscore": 12_000/5000 + 1, "evalsha": 12_000 / archivePage} {
		got := seen.of[command]
		for i := 1; i < len(got); i++ {
			if !got[i].After(got[i-1]) {
				t.Errorf("%s: the time of call %d ends with that of the one before", command, i)
			}
		}
		if len(got) != want {
			t.Errorf("%s: %d calls had an end, want %d", command, len(got), want)
		}
	}
	seen.of = map[string][]time.Time{}
	if _, err := c.ReplayMany(context.WithoutCancel(t.Context()), []*Info{{ID: someID, Queue: "default"}, {ID: someID, Queue: "bulk"}}); err != nil {
		t.Error(err)
	}
	if got := seen.of["evalsha"]; len(got) != 2 || got[0].Equal(got[1]) {
		t.Errorf("a replay in two queues: %v", got)
	}
}
