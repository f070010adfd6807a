package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/testlog"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// A rig is a Redis, a Layer API and a producer, for workers to run on.
type rig struct {
	redis *redistest.Proxy
	layer *layertest.Server
	tasks *tasks.Client
	conv  layer.ConversationID
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{redis: redistest.NewProxy(t), layer: layertest.NewServer(t)}
	var err error
	if r.tasks, err = tasks.NewClientFromRedis(redistest.New(t)); err != nil {
		t.Fatal(err)
	}
	r.conv = r.layer.AddConversation("alice", "bob")
	return r
}

// A pool is a running worker.
type pool struct {
	*Worker
	stop  context.CancelFunc
	ended chan error
	log   *testlog.Buffer
}

// worker starts a worker on the rig. The test's end stops it.
func (r *rig) worker(t *testing.T, change func(*Options)) *pool {
	t.Helper()
	p := &pool{ended: make(chan error, 1), log: new(testlog.Buffer)}
	opts := Options{
		Redis: r.client(t), Status: r.client(t), API: r.layer.Client(t),
		Queues:   map[string]int{"critical": 4, "default": 8, "bulk": 4},
		RetryMin: 10 * time.Millisecond, RetryMax: 20 * time.Millisecond, DrainTimeout: 10 * time.Second,
		Log: slog.New(slog.NewTextHandler(p.log, nil)),
	}
	if change != nil {
		change(&opts)
	}
	var err error
	if p.Worker, err = New(opts); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.stop = cancel
	go func() { p.ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-p.ended:
			_ = err // a test that cares has looked at it
		case <-time.After(patience):
			t.Error("the worker did not end")
		}
	})
	return p
}

// client goes through the rig's proxy, and gives up soon where it is cut.
func (r *rig) client(t *testing.T) redis.UniversalClient { t.Helper(); return r.redis.Client(t) }

// stopped ends the worker and returns what Run returned, and how long it took.
func (p *pool) stopped(t *testing.T) (took time.Duration, err error) {
	t.Helper()
	start := time.Now()
	p.stop()
	select {
	case err := <-p.ended:
		p.ended <- err // for the cleanup
		return time.Since(start), err
	case <-time.After(patience):
		t.Fatal("the worker did not end")
		return 0, nil
	}
}

func (r *rig) say(text string) tasks.Task {
	return tasks.SendMessage{
		Conversation: r.conv, Sender: layer.Sender{UserID: "alice"},
		Parts: []tasks.Part{{MIMEType: "text/plain", Body: text}},
	}
}

func (r *rig) enqueue(t *testing.T, task tasks.Task, opts ...tasks.Option) uuid.UUID {
	t.Helper()
	info, err := r.tasks.Enqueue(t.Context(), task, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info.ID
}

// wantState waits until a task is in a state.
func (r *rig) wantState(t *testing.T, id uuid.UUID, want tasks.State) *tasks.Info {
	t.Helper()
	var info *tasks.Info
	eventually(t, "task is "+string(want), func() bool {
		var err error
		info, err = r.tasks.Status(t.Context(), id)
		return err == nil && info.State == want
	})
	return info
}

var eventually = redistest.Eventually
