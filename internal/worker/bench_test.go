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
	task := tasks.SendMessage{
		Conversation: srv.AddConversation("alice", "bob"), Sender: layer.Sender{UserID: "alice"},
		Parts: []tasks.Part{{MIMEType: "text/plain", Body: "Hello, how are you?"}},
	}
	const batch = 1000
	for done := 0; done < b.N; done += batch {
		requests := make([]tasks.Request, min(batch, b.N-done))
		for i := range requests {
			requests[i].Task = task
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
