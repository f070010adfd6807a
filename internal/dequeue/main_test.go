package dequeue_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/internal/testlog"
)

func TestMain(m *testing.M) {
	redisurl.Quiet() // outages are made on purpose here
	goleak.VerifyTestMain(m)
}

// pool is a hook with asynq servers on it, as a worker runs them.
type pool struct {
	hook *dequeue.Hook
	rdb  redis.UniversalClient // carries the hook
	log  *logBuffer
	// scripts counts how often our script was sent.
	scripts atomic.Int32

	mu   sync.Mutex
	seen []delivery
}

// delivery is what the handler of a pool saw.
type delivery struct {
	ID, Type, Payload string
	Headers           map[string]string
	MaxRetry          int
	Side              *dequeue.Delivery
	At                time.Time
}

// handler is what a test does with a task; nil is success.
type handler func(context.Context, *asynq.Task) error

// start runs a server for each of the queues on rdb until the test ends.
func start(t testing.TB, rdb redis.UniversalClient, handle handler, queues ...string) *pool {
	t.Helper()
	p := &pool{rdb: rdb, log: new(logBuffer)}
	p.hook = dequeue.New(rdb, dequeue.Options{Log: slog.New(slog.NewTextHandler(p.log, nil))})
	rdb.AddHook(p.hook)
	rdb.AddHook(spy(func(cmd redis.Cmder) {
		if dequeue.IsTake(cmd) && cmd.Name() == "evalsha" {
			p.scripts.Add(1)
		}
	}))
	var servers []*asynq.Server
	for _, q := range queues {
		servers = append(servers, p.serve(t, q, handle))
	}
	t.Cleanup(func() {
		p.hook.Close()
		for _, srv := range servers {
			srv.Shutdown()
		}
	})
	return p
}

func (p *pool) serve(t testing.TB, q string, handle handler) *asynq.Server {
	t.Helper()
	cfg := dequeue.ServerConfig(q, 4)
	cfg.LogLevel = asynq.FatalLevel
	srv := asynq.NewServerFromRedisClient(p.rdb, cfg)
	err := srv.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		d := delivery{Type: task.Type(), Payload: string(task.Payload()), Headers: task.Headers(), At: time.Now()}
		d.ID, _ = asynq.GetTaskID(ctx)
		d.MaxRetry, _ = asynq.GetMaxRetry(ctx)
		q, _ := asynq.GetQueueName(ctx)
		d.Side = p.hook.Delivery(q, d.ID)
		p.mu.Lock()
		p.seen = append(p.seen, d)
		p.mu.Unlock()
		var err error
		if handle != nil {
			err = handle(ctx, task)
		}
		defer p.hook.Done(d.Side)
		return p.settle(ctx, d.Side, err)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// errCrash makes a delivery end as if its worker had died.
var errCrash = errors.New("crash")

// settle ends a delivery as a worker does: an error is retried after a second.
func (p *pool) settle(ctx context.Context, d *dequeue.Delivery, err error) error {
	m := *d.Message
	e := queue.Settlement{Verdict: queue.VerdictDone, Message: &m, Now: d.Now(), Counts: true}
	switch {
	case errors.Is(err, errCrash):
		return nil
	case errors.Is(err, asynq.SkipRetry):
		e.Verdict, m.ErrorMsg = queue.VerdictArchive, err.Error()
	case err != nil:
		e.Verdict, e.Wait, m.ErrorMsg = queue.VerdictRetry, time.Second, err.Error()
	}
	_, failed := p.hook.Settle(context.WithoutCancel(ctx), d, e)
	return failed
}

// deliveries returns what the handlers saw so far.
func (p *pool) deliveries() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]delivery(nil), p.seen...)
}

// wait returns the first n deliveries.
func (p *pool) wait(t testing.TB, n int) []delivery {
	t.Helper()
	eventually(t, "delivery of the tasks", func() bool { return len(p.deliveries()) >= n })
	return p.deliveries()
}

// idle waits until each of n servers has found nothing, and none looks any more.
func (p *pool) idle(t testing.TB, n int) {
	t.Helper()
	looks, since := int32(0), time.Now()
	eventually(t, "rest after a look at every queue", func() bool {
		if now := p.scripts.Load(); now != looks {
			looks, since = now, time.Now()
		}
		return int(looks) >= n && time.Since(since) > 50*time.Millisecond
	})
}

// spy is a hook that sees every single command on its way to Redis.
type spy func(redis.Cmder)

func (s spy) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s spy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		s(cmd)
		return next(ctx, cmd)
	}
}

func (s spy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func message(q string) *queue.Message {
	return &queue.Message{
		Type: "message:send", Payload: []byte("payload"), ID: uuid.NewString(), Queue: q,
		Headers: map[string]string{queue.HeaderEnqueuedAt: queue.FormatTime(time.Now())},
		Retry:   queue.MaxRetry, Timeout: 3600, Retention: 3600,
	}
}

// enqueue is what a producer of ours does.
func enqueue(t testing.TB, rdb redis.UniversalClient, m *queue.Message, at time.Time) {
	t.Helper()
	answers, err := queue.NewStore(rdb).Enqueue(t.Context(), []queue.Entry{{Message: m, ProcessAt: at}})
	if err != nil || answers[0].Existing != nil {
		t.Fatalf("enqueue: %+v, %v", answers, err)
	}
}

var eventually = redistest.Eventually

// logBuffer collects what a hook logs.
type logBuffer struct{ testlog.Buffer }

func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }

// newRDB returns a client for a pool and another one for the test itself.
func newRDB(t testing.TB) (worker, other redis.UniversalClient) {
	t.Helper()
	return redistest.New(t), redistest.New(t)
}
