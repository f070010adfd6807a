package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

var block = tasks.BlockUser{Owner: "ana", User: "boris"}

func newClient(t testing.TB, opts ...tasks.ClientOption) *tasks.Client {
	t.Helper()
	c, err := tasks.NewClientFromRedis(redistest.New(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func enqueue(t testing.TB, c *tasks.Client, task tasks.Task, opts ...tasks.Option) *tasks.Info {
	t.Helper()
	info, err := c.Enqueue(t.Context(), task, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func stored(t testing.TB, id uuid.UUID) *queue.Record {
	t.Helper()
	rec, err := queue.NewStore(redistest.New(t)).Find(t.Context(), id.String())
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestEnqueueStoresTheTask(t *testing.T) {
	t.Parallel()
	c := newClient(t, tasks.WithRetention(time.Hour))
	before := time.Now()
	expires := before.Add(time.Hour).Truncate(time.Second)
	info := enqueue(t, c, block, tasks.Key("k"), tasks.Queue("critical"), tasks.Expires(expires))

	if info.EnqueuedAt.Before(before) || time.Since(info.EnqueuedAt) < 0 {
		t.Errorf("enqueued at %v", info.EnqueuedAt)
	}
	want := &tasks.Info{ID: tasks.KeyID(tasks.TypeBlockUser, "k"), Type: "user:block", Queue: "critical", State: tasks.StatePending, EnqueuedAt: info.EnqueuedAt}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
	m := stored(t, info.ID).Message
	if got, want := string(m.Payload), `{"v":1,"args":{"owner":"ana","user":"boris"}}`; got != want {
		t.Errorf("payload %s, want %s", got, want)
	}
	if m.Retention != 3600 || m.Retry != queue.MaxRetry || !m.ExpiresAt().Equal(expires) || !m.EnqueuedAt().Equal(info.EnqueuedAt) {
		t.Errorf("message %+v", m)
	}
}

func TestEnqueueForLater(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	info := enqueue(t, c, block, tasks.In(time.Hour))
	if in := time.Until(info.NextAttemptAt); info.State != tasks.StateScheduled || in < 59*time.Minute || in > 61*time.Minute {
		t.Errorf("%+v", info)
	}
	found, err := c.Status(t.Context(), info.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info, found); diff != "" {
		t.Errorf("Status tells something else than Enqueue (-enqueue +status):\n%s", diff)
	}
}

func TestEnqueueAgainIsADuplicate(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	first := enqueue(t, c, block, tasks.Key("k"), tasks.In(time.Hour))
	again := enqueue(t, c, &block, tasks.Key("k"), tasks.Queue("bulk")) // a pointer is the same task
	want := *first
	want.Duplicate = true
	if diff := cmp.Diff(&want, again); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDuplicateOfAnotherProducersEncoding(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	id := uuid.New()
	_, err := queue.NewStore(redistest.New(t)).Enqueue(t.Context(), []queue.Entry{{Message: &queue.Message{
		ID: id.String(), Type: "user:block", Queue: "default", Payload: []byte(`{ "args":{"user":"boris","owner":"ana"}, "v":1 }`),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if info := enqueue(t, c, block, tasks.ID(id)); !info.Duplicate {
		t.Errorf("%+v is no duplicate", info)
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	id := uuid.MustParse("c25e8f04-93ab-4c77-b1de-58f06a1d2b39")
	enqueue(t, c, block, tasks.ID(id))
	garbage := uuid.MustParse("9f3a17d8-20be-4d65-8c41-e6b705c3fa12")
	_, err := queue.NewStore(redistest.New(t)).Enqueue(t.Context(), []queue.Entry{{Message: &queue.Message{
		ID: garbage.String(), Type: "user:block", Queue: "bulk", Payload: []byte("garbage"),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		task tasks.Task
		id   uuid.UUID
		want string
	}{
		{"other args", tasks.BlockUser{Owner: "ana", User: "chen"}, id, "tasks: user:block: id c25e8f04-93ab-4c77-b1de-58f06a1d2b39 belongs to another task with other args (pending): use another key or id"},
		{"another type", tasks.UnblockUser(block), id, `tasks: user:unblock: id c25e8f04-93ab-4c77-b1de-58f06a1d2b39 belongs to another task of type "user:block" (pending): use another key or id`},
		{"garbage", block, garbage, "tasks: user:block: id 9f3a17d8-20be-4d65-8c41-e6b705c3fa12 belongs to another task with other args (pending): use another key or id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := c.Enqueue(t.Context(), tt.task, tasks.ID(tt.id))
			conflict, ok := errors.AsType[*tasks.ConflictError](err)
			if !ok || info != nil || err.Error() != tt.want {
				t.Fatalf("got %v, %v\nwant %s", info, err, tt.want)
			}
			if conflict.ID != tt.id || conflict.Existing.State != tasks.StatePending || conflict.Existing.Type != "user:block" {
				t.Errorf("%+v", conflict)
			}
		})
	}
}

func TestEnqueueRefusesAtTheDoor(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, tt := range []struct {
		name string
		task tasks.Task
		opts []tasks.Option
		want string
	}{
		{"no task", nil, nil, "tasks: task: is nil"},
		{"a nil pointer", (*tasks.BlockUser)(nil), nil, "tasks: task: is nil"},
		{"a wrong task with wrong options", tasks.BlockUser{Owner: "a\x00", User: "\xff"}, []tasks.Option{tasks.Queue("fast"), tasks.Key("")}, `tasks: user:block: owner: contains a NUL character; user: is not valid UTF-8; key: is empty; queue: "fast" is unknown; there are critical, default, bulk`},
		{"a payload that is too large", tasks.BlockUser{Owner: strings.Repeat("a", 256<<10), User: "b"}, nil, "tasks: user:block: payload: is 262182 bytes, at most 262144 fit into a task"},
		{"a number in metadata", tasks.CreateConversation{Participants: []string{"a"}, Metadata: layer.Metadata{"n": 1}}, nil, "tasks: conversation:create: metadata.n: is a number, Layer takes strings and objects of strings"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := c.Enqueue(t.Context(), tt.task, tt.opts...)
			if info != nil || err == nil || err.Error() != tt.want {
				t.Errorf("got %v, %v\nwant %s", info, err, tt.want)
			}
		})
	}
	rdb := redistest.New(t)
	t.Cleanup(func() {
		if keys := rdb.Keys(context.WithoutCancel(t.Context()), "asynq:*").Val(); len(keys) > 0 {
			t.Errorf("left in Redis: %v", keys)
		}
	})
}

func TestConcurrentProducersOfOneKey(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	var fresh sync.Map
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			info, err := c.Enqueue(t.Context(), block, tasks.Key("k"), tasks.Queue(queue.Names[i%3]))
			if err != nil {
				t.Error(err)
			} else if !info.Duplicate {
				fresh.Store(i, info)
			}
		})
	}
	running.Wait()
	n := 0
	fresh.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d producers enqueued it, want 1", n)
	}
}

func TestStatusNotFound(t *testing.T) {
	t.Parallel()
	_, err := newClient(t).Status(t.Context(), uuid.MustParse("c25e8f04-93ab-4c77-b1de-58f06a1d2b39"))
	if want := "tasks: c25e8f04-93ab-4c77-b1de-58f06a1d2b39: no such task"; !errors.Is(err, tasks.ErrNotFound) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	enqueue(t, c, block)
	enqueue(t, c, block, tasks.Queue("bulk"), tasks.In(time.Hour))
	queues, err := c.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(queues) != 3 || queues[0].Queue != "critical" || queues[1].Pending != 1 || queues[2].Scheduled != 1 {
		t.Errorf("%+v", queues)
	}
}

func TestRetentionIsChecked(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, -time.Hour, 999 * time.Millisecond, 1500 * time.Millisecond} {
		_, err := tasks.NewClientFromRedis(redistest.New(t), tasks.WithRetention(d))
		if want := fmt.Sprintf("tasks: retention: is %v, must be whole seconds, one at least", d); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRingIsRefused(t *testing.T) {
	t.Parallel()
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1", "b": "127.0.0.1:2"}, HeartbeatFrequency: time.Hour})
	defer func() { _ = ring.Close() }()
	if _, err := tasks.NewClientFromRedis(ring); err == nil || !strings.Contains(err.Error(), "*redis.Ring") {
		t.Errorf("got %v, want that a *redis.Ring is not supported", err)
	}
}
