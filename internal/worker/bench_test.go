package worker

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

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
		perform := func(api *layer.Client) func(context.Context, uuid.UUID, tasks.Task) (tasks.Result, error) {
			return func(ctx context.Context, id uuid.UUID, t tasks.Task) (tasks.Result, error) {
				if !c.call {
					return tasks.Result{}, nil
				}
				return tasks.Perform(ctx, api, id, t)
			}
		}
		b.Run(c.name+"/layerq", func(b *testing.B) {
			r := newBenchRig(b)
			worker, err := New(Options{
				Redis: redistest.New(b), Status: redistest.New(b), API: r.api, Queues: map[string]int{"default": concurrency},
			})
			if err != nil {
				b.Fatal(err)
			}
			effect := perform(r.api)
			finished := newCountdown(b.N)
			worker.pipeline.perform = func(ctx context.Context, id uuid.UUID, t tasks.Task, _ int) (tasks.Result, error) {
				defer finished.done()
				return effect(ctx, id, t)
			}
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			b.ResetTimer()
			go func() { ended <- worker.Run(ctx) }()
			finished.wait(b)
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
		})
		b.Run(c.name+"/asynq", func(b *testing.B) {
			r := newBenchRig(b)
			effect := perform(r.api)
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
				_, err = effect(ctx, uuid.MustParse(id), task)
				return err
			})); err != nil {
				b.Fatal(err)
			}
			finished.wait(b)
			srv.Shutdown()
		})
	}
}

// A benchRig is a queue with b.N messages in it, and the API to send them.
type benchRig struct{ api *layer.Client }

func newBenchRig(b *testing.B) *benchRig {
	b.Helper()
	srv := layertest.NewServer(b)
	client, err := tasks.NewClientFromRedis(redistest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	task := hello(srv.AddConversation("alice", "bob"))
	const batch = 1000
	for done := 0; done < b.N; done += batch {
		requests := make([]tasks.Request, min(batch, b.N-done))
		for i := range requests {
			requests[i] = tasks.Request{Task: task, Options: []tasks.Option{tasks.Unordered()}} // bare asynq knows no lanes
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
	return &benchRig{api: srv.Client(b)}
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
	client, err := tasks.NewClientFromRedis(redistest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	requests := make([]tasks.Request, b.N)
	for i := range requests {
		requests[i] = tasks.Request{Task: hello(conversation(i)), Options: opts}
	}
	enqueued := time.Now()
	if _, err := client.EnqueueMany(b.Context(), requests); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/time.Since(enqueued).Seconds(), "enqueued/s")
	api := srv.Client(b)
	worker, err := New(Options{Redis: redistest.New(b), Status: redistest.New(b), API: api, Queues: map[string]int{"default": 32}})
	if err != nil {
		b.Fatal(err)
	}
	effect := worker.pipeline.perform
	finished := newCountdown(b.N)
	worker.pipeline.perform = func(ctx context.Context, id uuid.UUID, t tasks.Task, n int) (tasks.Result, error) {
		defer finished.done()
		return effect(ctx, id, t, n)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	b.ResetTimer()
	go func() { ended <- worker.Run(ctx) }()
	finished.wait(b)
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
