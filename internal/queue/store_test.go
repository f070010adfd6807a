package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func TestAnIDIsOneTaskOverAllQueues(t *testing.T) {
	t.Parallel()
	for _, later := range queue.Names {
		t.Run("then "+later, func(t *testing.T) {
			t.Parallel()
			store := queue.NewStore(redistest.New(t))
			first := message(queue.Default)
			enqueue(t, store, first, time.Now().Add(time.Hour))

			second := message(later)
			second.ID, second.Payload = first.ID, []byte("other")
			answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: second}})
			if err != nil {
				t.Fatal(err)
			}
			there := answers[0].Existing
			if there == nil {
				t.Fatal("the second task was taken")
			}
			if diff := cmp.Diff(first, there.Message); diff != "" {
				t.Errorf("what is there (-want +got):\n%s", diff)
			}
			if there.State != queue.Scheduled || time.Until(there.NextProcessAt) < 59*time.Minute {
				t.Errorf("state %s, next %s", there.State, there.NextProcessAt)
			}
			infos, err := store.Queues(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, info := range infos {
				if info.Pending != 0 {
					t.Errorf("queue %s has a pending task", info.Queue)
				}
			}
		})
	}
}

func TestSameIDTwiceInABatch(t *testing.T) {
	t.Parallel()
	store, m := queue.NewStore(redistest.New(t)), message(queue.Default)
	answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: m}, {Message: m}})
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Existing != nil || answers[1].Existing == nil {
		t.Errorf("answers %+v: want the first new and the second there already", answers)
	}
}

func TestEnqueueingAgainFindsItInEveryState(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	release := make(chan struct{})
	serve(t, rdb, queue.Default, func(_ context.Context, task *asynq.Task) error {
		switch string(task.Payload()) {
		case "fail":
			return errors.New("no")
		case "skip":
			return asynq.SkipRetry
		case "hang":
			<-release
		}
		return nil
	})
	defer close(release)
	for _, tc := range []struct {
		payload string
		want    queue.State
	}{{"done", queue.Completed}, {"fail", queue.Retry}, {"skip", queue.Archived}, {"hang", queue.Active}, {"wait", queue.Pending}} {
		m := message(queue.Default)
		m.Payload = []byte(tc.payload)
		enqueue(t, store, m, time.Time{})
		eventually(t, tc.payload+" in state "+string(tc.want), func() bool {
			again := message(queue.Critical)
			again.ID = m.ID
			answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: again}})
			if err != nil || answers[0].Existing == nil {
				t.Fatalf("%s: answers %+v, error %v", tc.payload, answers, err)
			}
			return answers[0].Existing.State == tc.want
		})
	}
}

func TestBatchKeepsItsOrder(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	var entries []queue.Entry
	var want []string
	for i := range 250 {
		m := message(queue.Bulk)
		m.Payload = fmt.Appendf(nil, "%d", i)
		entries, want = append(entries, queue.Entry{Message: m}), append(want, string(m.Payload))
	}
	if _, err := queue.NewStore(rdb).Enqueue(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got []string
	serve(t, rdb, queue.Bulk, func(_ context.Context, task *asynq.Task) error {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(task.Payload()))
		return nil
	})
	eventually(t, "the last task", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == len(want)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestProducersAtOnceEnqueueOneTask(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	id := uuid.NewString()
	var stored atomic.Int32
	var producers sync.WaitGroup
	for i := range 30 {
		producers.Go(func() {
			m := message(queue.Names[i%len(queue.Names)])
			m.ID = id
			answers, err := queue.NewStore(rdb).Enqueue(t.Context(), []queue.Entry{{Message: m}})
			if err != nil {
				t.Error(err)
			} else if answers[0].Existing == nil {
				stored.Add(1)
			}
		})
	}
	producers.Wait()
	if n := stored.Load(); n != 1 {
		t.Errorf("%d producers were told that their task is new, want 1", n)
	}
}

func TestWrongEntriesAreRefusedByThemselves(t *testing.T) {
	t.Parallel()
	store := queue.NewStore(redistest.New(t))
	wrong := func(change func(*queue.Message)) queue.Entry {
		m := message(queue.Default)
		change(m)
		return queue.Entry{Message: m}
	}
	good := queue.Entry{Message: message(queue.Default)}
	entries := []queue.Entry{
		{},
		wrong(func(m *queue.Message) { m.ID = "" }),
		wrong(func(m *queue.Message) { m.Type = "" }),
		wrong(func(m *queue.Message) { m.Queue = "low" }),
		wrong(func(m *queue.Message) { m.Type = "a:\xff" }),
		wrong(func(m *queue.Message) { m.Headers = map[string]string{"k": "\xff"} }),
		good,
	}
	answers, err := store.Enqueue(t.Context(), entries)
	if err == nil || !errors.Is(err, answers[0].Err) {
		t.Errorf("error %v, want that of the first entry", err)
	}
	for i, want := range []string{"no message", "needs an id", "no type", `unknown queue "low"`, "UTF-8", "UTF-8"} {
		if e := answers[i].Err; e == nil || !strings.Contains(e.Error(), want) {
			t.Errorf("entry %d: %v, want an error that says %q", i, e, want)
		}
	}
	if last := answers[len(answers)-1]; last.Err != nil || last.Existing != nil {
		t.Errorf("the good entry: %+v", last)
	}
	if _, err := store.Find(t.Context(), good.Message.ID); err != nil {
		t.Errorf("the good entry was not enqueued: %v", err)
	}
}

func TestOneEntryThatFailsDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	bad, good := message(queue.Default), message(queue.Default)
	rdb.Set(t.Context(), queue.TaskKey(queue.Default, bad.ID), "no hash", 0)
	answers, err := queue.NewStore(rdb).Enqueue(t.Context(), []queue.Entry{{Message: bad}, {Message: good}})
	if err == nil || answers[0].Err == nil || !strings.Contains(answers[0].Err.Error(), bad.ID) {
		t.Errorf("answer %+v, want an error that names %s", answers[0], bad.ID)
	}
	if answers[1].Err != nil || answers[1].Existing != nil {
		t.Errorf("answer of the other entry: %+v", answers[1])
	}
}

func TestIDTakenByGarbage(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, m := queue.NewStore(rdb), message(queue.Default)
	rdb.HSet(t.Context(), queue.TaskKey(queue.Bulk, m.ID), "msg", "\xffgarbage", "state", "pending")
	if _, err := store.Enqueue(t.Context(), []queue.Entry{{Message: m}}); err == nil || !strings.Contains(err.Error(), "no task") {
		t.Errorf("Enqueue: %v, want an error that says so", err)
	}
	if _, err := store.Find(t.Context(), m.ID); err == nil || errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Find: %v, want an error that says so", err)
	}
}

// A result that arrives after its task was deleted makes a hash of its own
// (asynq's ResultWriter does that). It must not pass for the result of a new task.
func TestLeftoverOfADeletedTask(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, m := queue.NewStore(rdb), message(queue.Default)
	rdb.HSet(t.Context(), queue.TaskKey(queue.Default, m.ID), queue.FieldResult, "late", queue.FieldAttempts, 3)
	if _, err := store.Find(t.Context(), m.ID); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Find: %v, want ErrNotFound", err)
	}
	enqueue(t, store, m, time.Time{})
	rec, err := store.Find(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Result != nil || rec.Attempts != 0 {
		t.Errorf("the new task has result %q and %d attempts of the old one", rec.Result, rec.Attempts)
	}
}

func TestFindReadsWhatTheWorkerWrote(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, m := queue.NewStore(rdb), message(queue.Critical)
	enqueue(t, store, m, time.Time{})
	key := queue.TaskKey(m.Queue, m.ID)
	rdb.HSet(t.Context(), key, queue.FieldResult, `{"a":1}`, queue.FieldAttempts, 3)
	rec, err := store.Find(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Attempts != 3 || string(rec.Result) != `{"a":1}` {
		t.Errorf("record: %d attempts, result %q", rec.Attempts, rec.Result)
	}
	rdb.HSet(t.Context(), key, queue.FieldAttempts, "many")
	if _, err := store.Find(t.Context(), m.ID); err == nil || !strings.Contains(err.Error(), queue.FieldAttempts) {
		t.Errorf("Find: %v, want an error that names the field", err)
	}
}

func TestFindWithoutATask(t *testing.T) {
	t.Parallel()
	if _, err := queue.NewStore(redistest.New(t)).Find(t.Context(), uuid.NewString()); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Find: %v, want ErrNotFound", err)
	}
}

func TestScheduledTaskIsNeverEarly(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	rapid.Check(t, func(rt *rapid.T) {
		at := time.Now().Add(time.Duration(rapid.Int64Range(int64(time.Second), int64(1000*time.Hour)).Draw(rt, "in")))
		m := message(queue.Default)
		enqueue(t, store, m, at)
		rec, err := store.Find(t.Context(), m.ID)
		if err != nil {
			rt.Fatal(err)
		}
		if d := rec.NextProcessAt.Sub(at); d < 0 || d >= time.Second {
			rt.Errorf("enqueued for %s, scheduled for %s", at, rec.NextProcessAt)
		}
	})
}

func TestPastTimeMeansNow(t *testing.T) {
	t.Parallel()
	store, m := queue.NewStore(redistest.New(t)), message(queue.Default)
	enqueue(t, store, m, time.Now().Add(-time.Hour))
	if rec, err := store.Find(t.Context(), m.ID); err != nil || rec.State != queue.Pending {
		t.Errorf("record %+v, %v, want pending", rec, err)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	enqueue(t, store, message(queue.Critical), time.Time{})
	enqueue(t, store, message(queue.Critical), time.Time{})
	enqueue(t, store, message(queue.Default), time.Now().Add(time.Hour))
	insp := asynq.NewInspectorFromRedisClient(rdb)
	if err := insp.PauseQueue(queue.Default); err != nil {
		t.Fatal(err)
	}
	rdb.Set(t.Context(), queue.HeldKey(queue.Bulk), `{"reason":"rate limited"}`, time.Minute)

	infos, err := store.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != 3 {
		t.Fatalf("%d queues, want 3", len(infos))
	}
	critical, byHand, held := infos[0], infos[1], infos[2]
	if critical.Queue != queue.Critical || critical.Pending != 2 || critical.Paused || critical.Held != nil {
		t.Errorf("critical: %+v", critical)
	}
	if critical.Latency <= 0 || critical.Latency > time.Minute {
		t.Errorf("latency of critical: %s", critical.Latency)
	}
	if byHand.Scheduled != 1 || !byHand.Paused || byHand.Held != nil || byHand.Latency != 0 {
		t.Errorf("default: %+v", byHand)
	}
	if held.Paused || held.Held == nil || held.Held.Reason != "rate limited" {
		t.Fatalf("bulk: %+v", held)
	}
	if left := time.Until(held.Held.Until); left < 50*time.Second || left > time.Minute {
		t.Errorf("held for another %s, want about a minute", left)
	}
}

func TestScriptsAreLoadedAgain(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store, m := queue.NewStore(rdb), message(queue.Default)
	for range 2 {
		enqueue(t, store, m, time.Time{})
		if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Find(t.Context(), m.ID); err != nil {
			t.Error(err)
		}
		if _, err := store.Queues(t.Context()); err != nil {
			t.Error(err)
		}
		m = message(queue.Default)
	}
}

// A queue that was deleted or flushed away under a living producer must become
// visible to asynq's Inspector again, which asynq's own client does not bring about.
func TestQueueNamesArePublishedAgain(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	enqueue(t, store, message(queue.Default), time.Time{})
	rdb.FlushDB(t.Context())

	enqueue(t, store, message(queue.Default), time.Time{})
	if n := rdb.Exists(t.Context(), queue.AllQueuesKey).Val(); n != 0 {
		t.Fatal("the name is published with every task")
	}
	queue.AgePublished(store, queue.Republish)
	enqueue(t, store, message(queue.Default), time.Time{})
	if got := rdb.SMembers(t.Context(), queue.AllQueuesKey).Val(); len(got) != 1 || got[0] != queue.Default {
		t.Errorf("published %q, want the queue", got)
	}
}

func TestEnqueueWithoutRedis(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t)
	store, m := queue.NewStore(p.Client(t)), message(queue.Default)
	p.Cut()
	answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: m}, {Message: message(queue.Bulk)}})
	if err == nil || answers[0].Err == nil || answers[1].Err == nil {
		t.Errorf("answers %+v, error %v, want an error for both", answers, err)
	}
	if _, err := store.Find(t.Context(), m.ID); err == nil || errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Find: %v, want that Redis is not there", err)
	}
	p.Restore(t)
	enqueue(t, store, m, time.Time{})
}

func TestEnqueueEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t)
	store := queue.NewStore(p.Client(t))
	enqueue(t, store, message(queue.Default), time.Time{})
	p.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := store.Enqueue(ctx, []queue.Entry{{Message: message(queue.Default)}}); err == nil {
		t.Error("enqueued on a Redis that does not answer")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Enqueue returned after %s, want 50 ms", took)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Enqueue(gone, []queue.Entry{{Message: message(queue.Default)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

// lossy fails the first read after an enqueue was written: the command arrives, its reply does not.
type lossy struct {
	net.Conn
	lose *atomic.Bool
	mu   sync.Mutex
	next bool
}

func (c *lossy) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "evalsha") && c.lose.CompareAndSwap(true, false) {
		c.mu.Lock()
		c.next = true
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *lossy) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	lost := c.next
	c.mu.Unlock()
	if lost {
		_ = c.Close()
		return 0, io.EOF
	}
	return n, err
}

func TestLostReplyIsNoDuplicate(t *testing.T) {
	t.Parallel()
	opts, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	var lose atomic.Bool
	opts.Dialer = func(_ context.Context, network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		return &lossy{Conn: c, lose: &lose}, err
	}
	rdb := redis.NewClient(opts)
	defer func() { _ = rdb.Close() }()
	store := queue.NewStore(rdb)
	enqueue(t, store, message(queue.Default), time.Time{}) // the script is loaded now
	before := rdb.LLen(t.Context(), queue.PendingKey(queue.Default)).Val()

	lose.Store(true)
	m := message(queue.Default)
	answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: m}})
	if lose.Load() {
		t.Fatal("no reply was lost")
	}
	if err != nil {
		// go-redis did not repeat the command, so the caller does.
		answers, err = store.Enqueue(t.Context(), []queue.Entry{{Message: m}})
	}
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Existing != nil {
		t.Error("our own task is called a duplicate")
	}
	if n := rdb.LLen(t.Context(), queue.PendingKey(queue.Default)).Val(); n != before+1 {
		t.Errorf("%d tasks were enqueued, want 1", n-before)
	}
}

// Between a command whose reply was lost and its repetition a worker may have been quick.
func TestRepeatedEnqueueAfterAWorkerHadTheTask(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	for state, change := range map[queue.State]func(*queue.Message){
		queue.Active:    func(*queue.Message) {},
		queue.Completed: func(m *queue.Message) { m.CompletedAt = time.Now().Unix() },
		queue.Retry:     func(m *queue.Message) { m.Retried, m.ErrorMsg, m.LastFailedAt = 1, "503", time.Now().Unix() },
		queue.Archived:  func(m *queue.Message) { m.ErrorMsg, m.LastFailedAt = "404", time.Now().Unix() },
	} {
		m := message(queue.Default)
		enqueue(t, store, m, time.Time{})
		worked := *m
		change(&worked)
		rdb.HSet(t.Context(), queue.TaskKey(m.Queue, m.ID), "msg", worked.Encode(), "state", string(state))

		other, later := *m, *m
		other.Payload = []byte("other")
		later.Headers = maps.Clone(m.Headers)
		later.Headers[queue.HeaderEnqueuedAt] = queue.FormatTime(m.EnqueuedAt().Add(time.Nanosecond))
		for name, c := range map[string]struct {
			again     *queue.Message
			duplicate bool
		}{"the same": {m, false}, "another payload": {&other, true}, "a later one": {&later, true}} {
			answers, err := store.Enqueue(t.Context(), []queue.Entry{{Message: c.again}})
			if err != nil {
				t.Fatal(err)
			}
			if existing := answers[0].Existing; (existing != nil) != c.duplicate {
				t.Errorf("%s, now %s: found %v, want a duplicate: %v", name, state, existing, c.duplicate)
			}
		}
	}
}

// Autoscaling goes by the latency: the clock of the worker that is asked must not matter.
func TestLatencyIsByRedisClock(t *testing.T) {
	t.Parallel()
	zero := int64(0)
	reply := []any{int64(1), zero, zero, zero, zero, zero, zero, "", int64(-2), int64(-2), "1700000000000000000", "1700000003000000000"}
	info, err := queue.InfoOf(queue.Default, reply, time.Now())
	if err != nil || info.Latency != 3*time.Second {
		t.Errorf("%v, %v, want 3 s", info.Latency, err)
	}
}

// Whoever subtracts the two must not get less than nothing from two clocks.
func TestTaskIsNotCompletedBeforeItWasEnqueued(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	store := queue.NewStore(rdb)
	m := message(queue.Default)
	ahead := time.Now().Add(time.Minute)
	m.Headers[queue.HeaderEnqueuedAt] = queue.FormatTime(ahead)
	enqueue(t, store, m, time.Time{})
	rdb.HSet(t.Context(), queue.TaskKey(m.Queue, m.ID), "state", "completed", queue.FieldDoneAt, queue.FormatTime(time.Now()))
	found, err := store.Find(t.Context(), m.ID)
	if err != nil || !found.CompletedAt.Equal(ahead) {
		t.Errorf("completed at %v, %v, want %v", found.CompletedAt, err, ahead)
	}
}
