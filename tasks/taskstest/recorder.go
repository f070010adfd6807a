package taskstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// Recorder holds what was enqueued through its client. It is safe for
// concurrent use.
type Recorder struct {
	client *tasks.Client
	rdb    *redis.Client
	store  *queue.Store

	performing sync.Mutex // one performer at a time keeps the order
}

// Recorded is a task that was enqueued.
type Recorded struct {
	Task tasks.Task
	Info *tasks.Info // as it is now
}

// NewRecorder returns an empty recorder that the end of the test closes. The
// options are those of its client.
func NewRecorder(t testing.TB, opts ...tasks.ClientOption) *Recorder {
	t.Helper()
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatalf("taskstest: %v", err)
	}
	t.Cleanup(server.Close)
	rdb := redis.NewClient(&redis.Options{
		Addr: server.Addr(),
		// A feature of managed clusters, which the embedded server refuses.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() { _ = rdb.Close() })
	client, err := tasks.NewClientFromRedis(rdb, opts...)
	if err != nil {
		t.Fatalf("taskstest: %v", err)
	}
	return &Recorder{client: client, rdb: rdb, store: queue.NewStore(rdb)}
}

// Client enqueues into the recorder.
func (r *Recorder) Client() *tasks.Client { return r.client }

// Enqueued returns every task there is, in the order in which they were
// enqueued. Duplicates are there once.
func (r *Recorder) Enqueued(t testing.TB) []Recorded {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also in a cleanup
	records, err := r.records(ctx)
	if err != nil {
		t.Fatalf("taskstest: %v", err)
	}
	recorded := make([]Recorded, len(records))
	for i, rec := range records {
		if recorded[i], err = r.describe(ctx, rec); err != nil {
			t.Fatalf("taskstest: %v", err)
		}
	}
	return recorded
}

func (r *Recorder) describe(ctx context.Context, rec *queue.Record) (Recorded, error) {
	task, err := tasks.Decode(rec.Message.Type, rec.Message.Payload)
	if err != nil {
		return Recorded{}, err
	}
	id, err := tasks.ParseID(rec.Message.ID)
	if err != nil {
		return Recorded{}, err
	}
	info, err := r.client.Status(ctx, id)
	return Recorded{Task: task, Info: info}, err
}

// records reads all tasks from Redis. The time of enqueueing has nanoseconds,
// so it orders the tasks of all queues.
func (r *Recorder) records(ctx context.Context) ([]*queue.Record, error) {
	var records []*queue.Record
	for _, name := range queue.Names {
		prefix := queue.TaskKey(name, "")
		keys, err := r.rdb.Keys(ctx, prefix+"*").Result()
		if err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		for _, key := range keys {
			rec, err := r.store.Find(ctx, key[len(prefix):])
			if err != nil {
				return nil, err
			}
			records = append(records, rec)
		}
	}
	slices.SortStableFunc(records, func(a, b *queue.Record) int {
		return cmp.Or(a.EnqueuedAt.Compare(b.EnqueuedAt), cmp.Compare(a.Message.ID, b.Message.ID))
	})
	return records, nil
}
