package worker

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// BenchmarkWorker measures how fast a filled queue is worked off, 32 tasks at
// once: by a worker, and by a bare asynq server whose handler makes the same
// call and does nothing else. "call" is against the emulator in memory, "no
// call" leaves that out.
func BenchmarkWorker(b *testing.B) {
	const concurrency = 32
	for _, c := range []struct {
		name string
		call bool
	}{{"call", true}, {"no call", false}} {
		effect := func(api *layer.Client) effect {
			return func(ctx context.Context, id uuid.UUID, t tasks.Task, _ int) (tasks.Result, error) {
				if !c.call {
					return tasks.Result{}, nil
				}
				return tasks.Perform(ctx, api, id, t)
			}
		}
		fill := func(b *testing.B) *layer.Client {
			b.Helper()
			srv := layertest.NewServer(b)
			one := srv.AddConversation("alice", "bob")
			enqueueMany(b, b.N, func(int) layer.ConversationID { return one }, tasks.Unordered()) // bare asynq knows no lanes
			return srv.Client(b)
		}
		b.Run(c.name+"/layerq", func(b *testing.B) {
			api := fill(b)
			workOff(b, api, effect(api))
		})
		b.Run(c.name+"/asynq", func(b *testing.B) {
			perform := effect(fill(b))
			finished := newCountdown(b.N)
			srv := asynq.NewServerFromRedisClient(redistest.New(b), asynq.Config{Concurrency: concurrency, LogLevel: asynq.FatalLevel})
			b.ResetTimer()
			if err := srv.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
				defer finished.done()
				task, err := tasks.Decode(t.Type(), t.Payload())
				if err != nil {
					return err
				}
				id, _ := asynq.GetTaskID(ctx)
				_, err = perform(ctx, uuid.MustParse(id), task, 1)
				return err
			})); err != nil {
				b.Fatal(err)
			}
			finished.wait(b)
			srv.Shutdown()
		})
	}
}

// An effect is what a worker executes of a task.
type effect = func(ctx context.Context, id uuid.UUID, t tasks.Task, delivery int) (tasks.Result, error)

// enqueueMany enqueues messages, each to the conversation of its number.
func enqueueMany(b *testing.B, n int, conversation func(i int) layer.ConversationID, opts ...tasks.Option) {
	b.Helper()
	client, err := tasks.NewClientFromRedis(redistest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	requests := make([]tasks.Request, n)
	for i := range requests {
		requests[i] = tasks.Request{Task: hello(conversation(i)), Options: opts}
	}
	answers, err := client.EnqueueMany(b.Context(), requests)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			b.Fatal(a.Err)
		}
	}
}

// benchWorker runs a worker that executes an effect, tasks' own if it is nil, and tells done when a task is settled. The
// function returned stops it.
func benchWorker(b *testing.B, api *layer.Client, perform effect, done func()) (stop func()) {
	b.Helper()
	worker, err := New(Options{Redis: redistest.New(b), Status: redistest.New(b), API: api, Queues: map[string]int{"default": 32}})
	if err != nil {
		b.Fatal(err)
	}
	if perform != nil {
		worker.pipeline.perform = perform
	}
	worker.pipeline.settler.hook = settling{worker.hook, done}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

// settling tells when a delivery is over.
type settling struct {
	deliveries
	done func()
}

func (s settling) Done(d *dequeue.Delivery) {
	s.deliveries.Done(d)
	s.done()
}

// workOff measures a worker that executes b.N tasks.
func workOff(b *testing.B, api *layer.Client, perform effect) {
	b.Helper()
	finished := newCountdown(b.N)
	b.ResetTimer()
	stop := benchWorker(b, api, perform, finished.done)
	finished.wait(b)
	stop()
}

// A countdown tells when all tasks were executed.
type countdown struct {
	left chan struct{}
	n    int
}

func newCountdown(n int) *countdown { return &countdown{make(chan struct{}, n), n} }

func (c *countdown) done() { c.left <- struct{}{} }

func (c *countdown) wait(b *testing.B) {
	b.Helper()
	for range c.n {
		select {
		case <-c.left:
		case <-time.After(time.Minute):
			b.Fatal("tasks are missing")
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(c.n)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkLane measures how fast the messages of one conversation are sent, one after the other, by a worker and by a
// caller in a loop, and how fast those of as many conversations are, in lanes and without.
func BenchmarkLane(b *testing.B) {
	const latency = 20 * time.Millisecond
	sequential := func(b *testing.B, srv *layertest.Server) {
		b.Helper()
		api := srv.Client(b)
		task := hello(srv.AddConversation("alice", "bob"))
		b.ResetTimer()
		for range b.N {
			if _, err := tasks.Perform(b.Context(), api, uuid.New(), task); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
	}
	b.Run("hot lane/layerq", func(b *testing.B) {
		srv := layertest.NewServer(b)
		srv.Fault(layertest.Rule{Latency: layertest.Duration(latency)})
		one := srv.AddConversation("alice", "bob")
		burnDown(b, srv, func(int) layer.ConversationID { return one })
	})
	b.Run("hot lane/loop", func(b *testing.B) {
		srv := layertest.NewServer(b)
		srv.Fault(layertest.Rule{Latency: layertest.Duration(latency)})
		sequential(b, srv)
	})
	b.Run("lanes of one", func(b *testing.B) {
		srv := layertest.NewServer(b)
		burnDown(b, srv, func(int) layer.ConversationID { return srv.AddConversation("alice", "bob") })
	})
	b.Run("unordered", func(b *testing.B) {
		srv := layertest.NewServer(b)
		burnDown(b, srv, func(int) layer.ConversationID { return srv.AddConversation("alice", "bob") }, tasks.Unordered())
	})
}

func hello(conversation layer.ConversationID) tasks.SendMessage {
	return tasks.SendMessage{
		Conversation: conversation, Sender: layer.Sender{UserID: "alice"},
		Parts: []tasks.Part{{MIMEType: "text/plain", Body: "Hello, how are you?"}},
	}
}

// burnDown enqueues b.N messages, and measures a worker that sends them.
func burnDown(b *testing.B, srv *layertest.Server, conversation func(i int) layer.ConversationID, opts ...tasks.Option) {
	b.Helper()
	enqueued := time.Now()
	enqueueMany(b, b.N, conversation, opts...)
	b.ReportMetric(float64(b.N)/time.Since(enqueued).Seconds(), "enqueued/s")
	workOff(b, srv.Client(b), nil)
}
