package tasks_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/tasks"
)

// operated is a client whose tasks are executed, archived and given up by hand.
type operated struct {
	*tasks.Client
	t   *testing.T
	rdb redis.UniversalClient
}

func newOperated(t *testing.T) *operated {
	t.Helper()
	rdb := redistest.New(t)
	c, err := tasks.NewClientFromRedis(rdb)
	if err != nil {
		t.Fatal(err)
	}
	return &operated{c, t, rdb}
}

func (o *operated) enqueue(task tasks.Task, opts ...tasks.Option) uuid.UUID {
	o.t.Helper()
	info, err := o.Enqueue(o.t.Context(), task, opts...)
	if err != nil {
		o.t.Fatal(err)
	}
	return info.ID
}

// settle takes the next task of a queue, and ends its delivery.
func (o *operated) settle(q string, v queue.Verdict, reason, code string) {
	o.t.Helper()
	store := queue.NewStore(o.rdb)
	taken, err := store.Take(o.t.Context(), q, false)
	if err != nil || taken.Found != queue.FoundTask {
		o.t.Fatalf("%+v, %v", taken, err)
	}
	m, err := queue.DecodeMessage([]byte(taken.Message))
	if err != nil {
		o.t.Fatal(err)
	}
	m.ErrorMsg = reason
	e := queue.Settlement{Delivery: taken.Delivery(), Queue: q, Verdict: v, Message: m, Now: time.Now()}
	if code != "" {
		e.Fields = []any{queue.FieldCode, code, queue.FieldFailures, 25}
	}
	if mine, err := store.Settle(o.t.Context(), e); err != nil || !mine {
		o.t.Fatal(mine, err)
	}
}

func (o *operated) state(id uuid.UUID) tasks.State {
	o.t.Helper()
	info, err := o.Status(o.t.Context(), id)
	if errors.Is(err, tasks.ErrNotFound) {
		return "gone"
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return info.State
}

func blockOf(owner string) tasks.Task { return tasks.BlockUser{Owner: owner, User: "mallory"} }

func TestArchived(t *testing.T) {
	t.Parallel()
	o := newOperated(t)
	begin := time.Now().Truncate(time.Second)
	first := o.enqueue(blockOf("a"))
	second := o.enqueue(tasks.UnblockUser{Owner: "b", User: "mallory"})
	third := o.enqueue(blockOf("c"), tasks.Queue("bulk"))
	o.settle("default", queue.VerdictArchive, "404 not_found: gone", "not_found")
	o.settle("default", queue.VerdictArchive, "expired at noon", "expired")
	o.settle("bulk", queue.VerdictArchive, "404 not_found: gone", "not_found")
	for _, tc := range []struct {
		name   string
		filter tasks.Filter
		want   []uuid.UUID
	}{
		{"all", tasks.Filter{}, []uuid.UUID{first, second, third}},
		{"a queue", tasks.Filter{Queue: "bulk"}, []uuid.UUID{third}},
		{"a type", tasks.Filter{Type: tasks.TypeBlockUser}, []uuid.UUID{first, third}},
		{"a code", tasks.Filter{Code: "expired"}, []uuid.UUID{second}},
		{"since the beginning", tasks.Filter{Since: begin}, []uuid.UUID{first, second, third}},
		{"since later", tasks.Filter{Since: time.Now().Add(time.Minute)}, nil},
		{"all of it", tasks.Filter{Queue: "default", Type: tasks.TypeBlockUser, Code: "not_found", Since: begin}, []uuid.UUID{first}},
	} {
		var got []uuid.UUID
		for info, err := range o.Archived(t.Context(), tc.filter) {
			if err != nil {
				t.Fatal(err)
			}
			if info.State != tasks.StateArchived || info.Error == "" || info.Code == "" || info.ArchivedAt.Before(begin) {
				t.Errorf("%s: %+v", tc.name, info)
			}
			got = append(got, info.ID)
		}
		if len(got) == 3 && tc.filter == (tasks.Filter{}) {
			continue // two of one second have no order
		}
		if diff := cmp.Diff(len(tc.want), len(got)); diff != "" {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	for _, err := range o.Archived(t.Context(), tasks.Filter{Queue: "urgent"}) {
		if _, ok := errors.AsType[*tasks.InvalidError](err); !ok {
			t.Errorf("an unknown queue: %v", err)
		}
	}
}

func TestArchivedOfManyPages(t *testing.T) {
	t.Parallel()
	o := newOperated(t)
	const n = 1203
	for i := range n {
		o.enqueue(blockOf(fmt.Sprint("u", i)))
		o.settle("default", queue.VerdictArchive, "no", "invalid")
	}
	seen := map[uuid.UUID]bool{}
	for info, err := range o.Archived(t.Context(), tasks.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[info.ID] = true
	}
	if len(seen) != n {
		t.Errorf("%d tasks, want %d", len(seen), n)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	o := newOperated(t)
	id := o.enqueue(blockOf("a"))
	if _, err := o.Replay(t.Context(), id); err == nil || err.Error() != "tasks: replay "+id.String()+": it is pending: only archived tasks are replayed" {
		t.Errorf("a pending one: %v", err)
	}
	o.settle("default", queue.VerdictArchive, "503", "service_unavailable")
	info, err := o.Replay(t.Context(), id)
	if err != nil || info.ID != id || info.State != tasks.StatePending || !info.ArchivedAt.IsZero() || info.Code != "" {
		t.Errorf("%+v, %v", info, err)
	}
	record, err := queue.NewStore(o.rdb).Take(t.Context(), "default", false)
	if err != nil || record.ID != id.String() || record.Failures != 0 || record.Deliveries != 2 {
		t.Errorf("it is taken as %+v, %v", record, err)
	}
	if _, err := o.Replay(t.Context(), id); err == nil || o.state(id) != tasks.StateActive {
		t.Errorf("an active one: %v", err)
	}
	if _, err := o.Replay(t.Context(), uuid.New()); !errors.Is(err, tasks.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
}

func TestReplayMany(t *testing.T) {
	t.Parallel()
	o := newOperated(t)
	var archived []*tasks.Info
	for _, q := range []string{"default", "bulk", "critical"} {
		id := o.enqueue(blockOf("a"), tasks.Queue(q))
		o.settle(q, queue.VerdictArchive, "no", "invalid")
		info, err := o.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		archived = append(archived, info)
	}
	archived = append(archived, archived[0], &tasks.Info{ID: uuid.New(), Queue: "bulk"})
	for _, want := range [][]bool{{true, true, true, false, false}, make([]bool, 5)} {
		got, err := o.ReplayMany(t.Context(), archived)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	for _, info := range archived[:3] {
		if state := o.state(info.ID); state != tasks.StatePending {
			t.Errorf("%s: %s", info.Queue, state)
		}
	}
}

// states are tasks in each state, by it.
func (o *operated) states() map[tasks.State]uuid.UUID {
	o.t.Helper()
	all := map[tasks.State]uuid.UUID{}
	all[tasks.StateCompleted] = o.enqueue(blockOf("done"), tasks.Unordered())
	o.settle("default", queue.VerdictDone, "", "")
	all[tasks.StateArchived] = o.enqueue(blockOf("dead"), tasks.Unordered())
	o.settle("default", queue.VerdictArchive, "no", "invalid")
	all[tasks.StateRetry] = o.enqueue(blockOf("again"), tasks.Unordered())
	o.settle("default", queue.VerdictRetry, "503", "")
	o.rdb.ZAdd(o.t.Context(), queue.RetryKey("default"), redis.Z{Score: 4e9, Member: all[tasks.StateRetry].String()})
	all[tasks.StateActive] = o.enqueue(blockOf("now"), tasks.Unordered())
	if taken, err := queue.NewStore(o.rdb).Take(o.t.Context(), "default", false); err != nil || taken.ID != all[tasks.StateActive].String() {
		o.t.Fatalf("%+v, %v", taken, err)
	}
	all[tasks.StateScheduled] = o.enqueue(blockOf("later"), tasks.In(time.Hour))
	all[tasks.StatePending] = o.enqueue(blockOf("lane"))
	all[tasks.StateWaiting] = o.enqueue(blockOf("lane"))
	for state, id := range all {
		if got := o.state(id); got != state {
			o.t.Fatalf("%s is %s", state, got)
		}
	}
	return all
}

func TestCancelAndDelete(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		op      string
		does    func(*operated, uuid.UUID) (tasks.State, error)
		refuses map[tasks.State]string
	}{
		{"cancel", func(o *operated, id uuid.UUID) (tasks.State, error) { return o.Cancel(o.t.Context(), id) }, map[tasks.State]string{
			tasks.StateActive:    "it is active: a worker has it, and what it does may have taken effect; wait for its end",
			tasks.StateCompleted: "it is completed: it is finished; see enqueue delete", tasks.StateArchived: "it is archived: it is finished; see enqueue delete",
		}},
		{"delete", func(o *operated, id uuid.UUID) (tasks.State, error) { return o.Delete(o.t.Context(), id) }, map[tasks.State]string{
			tasks.StateActive: "it is active: a worker has it, and what it does may have taken effect; wait for its end",
		}},
	} {
		t.Run(tc.op, func(t *testing.T) {
			t.Parallel()
			o := newOperated(t)
			all := o.states()
			for state, id := range all {
				if state == tasks.StatePending {
					continue // it would let the waiting one run
				}
				was, err := tc.does(o, id)
				if why := tc.refuses[state]; why != "" {
					if err == nil || err.Error() != "tasks: "+tc.op+" "+id.String()+": "+why || o.state(id) != state {
						t.Errorf("%s: %v, then %s", state, err, o.state(id))
					}
					continue
				}
				if err != nil || was != state || o.state(id) != "gone" {
					t.Errorf("%s: it was %s, %v, then %s", state, was, err, o.state(id))
				}
			}
			behind := o.enqueue(blockOf("lane"))
			if _, err := tc.does(o, all[tasks.StatePending]); err != nil || o.state(behind) != tasks.StatePending {
				t.Errorf("the head of a lane: %v, then the next is %s", err, o.state(behind))
			}
			if _, err := tc.does(o, uuid.New()); !errors.Is(err, tasks.ErrNotFound) {
				t.Errorf("none: %v", err)
			}
			if again := o.enqueue(blockOf("later"), tasks.ID(all[tasks.StateScheduled])); o.state(again) != tasks.StatePending {
				t.Errorf("enqueued again it is %s", o.state(again))
			}
		})
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	o := newOperated(t)
	for _, want := range []bool{false, true} {
		if was, err := o.Pause(t.Context(), "bulk"); err != nil || was != want {
			t.Errorf("pause: %t, %v", was, err)
		}
	}
	queues, err := o.Queues(t.Context())
	if err != nil || !queues[2].Paused || queues[0].Paused || queues[2].Held != nil {
		t.Errorf("%+v, %v", queues, err)
	}
	for _, want := range []bool{true, false} {
		if was, held, err := o.Resume(t.Context(), "bulk"); err != nil || was != want || held != nil {
			t.Errorf("resume: %t, %v, %v", was, held, err)
		}
	}
	until := time.Now().Add(time.Minute)
	if err := queue.NewStore(o.rdb).Hold(t.Context(), []string{"bulk"}, queue.Hold{Reason: "401", Until: until}, time.Minute, 1); err != nil {
		t.Fatal(err)
	}
	if was, held, err := o.Resume(t.Context(), "bulk"); err != nil || was || held == nil || held.Reason != "401" {
		t.Errorf("resume a held queue: %t, %+v, %v", was, held, err)
	}
	_, errPause := o.Pause(t.Context(), "urgent")
	_, _, errResume := o.Resume(t.Context(), "")
	for _, err := range []error{errPause, errResume} {
		if _, ok := errors.AsType[*tasks.InvalidError](err); !ok {
			t.Errorf("an unknown queue: %v", err)
		}
	}
}
