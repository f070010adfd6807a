//go:build faults && linux

package faults

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

const poisonMark = " (poison)"

// A task that kills its worker each time is given up after 5 crashes in a row; what
// else the workers had in their hands is not.
func TestPoison_among_good_ones(t *testing.T) {
	t.Parallel()
	s := newSite(t, layerq, setup{latency: 100 * time.Millisecond, env: []string{"FAULTS_FAILPOINT=before-call:kill:has=" + poisonMark}})
	l := s.load(rowTasks())
	poisonous := map[*job]bool{}
	n := 1
	if *long {
		n = 2 // each takes its five leases: of tasks that crashed twice, one runs at a time
	}
	for i := range n {
		place := (i + 1) * len(l.jobs) / (n + 1)
		j := l.message(place, poisonMark)
		l.replace(place, j)
		poisonous[j] = true
	}
	s.start(3)
	stop := every(100*time.Millisecond, func() {
		for range 3 - len(s.living()) { // as whoever keeps workers running does
			s.worker()
		}
	})
	l.enqueue(span())
	enqueued := time.Now()
	fiveCrashes := time.Duration(n) * 5 * recovery
	took := s.settle(enqueued, fiveCrashes+time.Minute)
	stop()
	if took > fiveCrashes {
		t.Errorf("the poison was given up after %v", took)
	}
	b := s.close(l, enqueued, allowed{archived: func(j *job) bool { return poisonous[j] }, repeats: anyNumber})
	b.Recovery = took
	s.record("task: poison among good ones", b)
	for j := range poisonous {
		info := s.states(l)[j]
		if info != nil && info.Attempts != 0 {
			t.Errorf("%s: crashes have cost %d attempts", j.key, info.Attempts)
		}
		if info != nil {
			t.Logf("archived: %s", info.Error)
		}
	}
}

// replace puts another task in the place of one.
func (l *load) replace(place int, j *job) {
	old := l.jobs[place]
	delete(l.byID, old.id)
	j.n, j.key = place, old.key
	j.id = tasks.KeyID(j.task.Type(), j.key)
	l.jobs[place] = j
	l.byID[j.id] = j
}

// Whatever else lies in the queues is archived with a reason where it is a task, and
// removed where it is none.
func TestGarbage_among_good_ones(t *testing.T) {
	t.Parallel()
	s := newSite(t, layerq, setup{latency: 20 * time.Millisecond})
	l := s.load(rowTasks())
	s.start(2)
	wrong, loose := s.garbage()
	l.enqueue(span())
	over := time.Now()
	s.settle(over, patience)
	inspector := asynq.NewInspector(asynq.RedisClientOpt{Addr: s.redis.addr()})
	defer inspector.Close()
	for _, id := range wrong {
		found, err := inspector.GetTaskInfo(queue.Default, id)
		if err != nil {
			t.Errorf("garbage %s: %v", id, err)
			continue
		}
		if found.State != asynq.TaskStateArchived || found.LastErr == "" {
			t.Errorf("garbage %s is %v: %q", id, found.State, found.LastErr)
		}
		if err := inspector.DeleteTask(queue.Default, id); err != nil {
			t.Errorf("garbage %s: %v", id, err)
		}
	}
	for _, id := range loose {
		if n := s.redis.rdb.Exists(t.Context(), queue.TaskKey(queue.Default, id)).Val(); n != 0 {
			t.Errorf("left of an id without a task: %s", id)
		}
	}
	b := s.close(l, over, allowed{})
	b.Archived = len(wrong)
	s.record("task: garbage among good ones", b)
}

// garbage puts into the queue what no producer of ours would. It returns the ids of what
// is a task at least in form, and of what is none.
func (s *site) garbage() (wrong, loose []string) {
	s.t.Helper()
	ctx := s.t.Context()
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: s.redis.addr()})
	defer client.Close()
	put := func(taskType string, payload []byte, opts ...asynq.Option) {
		id := uuid.NewString()
		if _, err := client.EnqueueContext(ctx, asynq.NewTask(taskType, payload), append(opts, asynq.TaskID(id), asynq.Queue(queue.Default))...); err != nil {
			s.t.Fatal(err)
		}
		wrong = append(wrong, id)
	}
	for i := range 5 {
		put("message:send_"+strconv.Itoa(i), []byte(`{"v":1,"args":{}}`))
		put(tasks.TypeSendMessage, []byte{0xff, 0, byte(i)})
		put(tasks.TypeSendMessage, fmt.Appendf(nil, `{"v":%d,"args":{}}`, i+2))
		put(tasks.TypeSendMessage, []byte(`{"v":1,"args":{"unknown":`+strconv.Itoa(i)+`}}`), asynq.MaxRetry(0))
		put(tasks.TypeBlockUser, []byte(`{"v":1,"args":{"owner":7}}`), asynq.Timeout(time.Second))
		put(tasks.TypeBlockUser, nil)
	}
	id := "not-a-uuid"
	good, err := tasks.Encode(tasks.BlockUser{Owner: "garbage", User: "mallory"})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := client.EnqueueContext(ctx, asynq.NewTask(tasks.TypeBlockUser, good), asynq.TaskID(id), asynq.Queue(queue.Default)); err != nil {
		s.t.Fatal(err)
	}
	wrong = append(wrong, id)
	for i := range 5 {
		broken, ghost, odd := fmt.Sprintf("broken-%d", i), fmt.Sprintf("ghost-%d", i), fmt.Sprintf("odd-%d", i)
		pipe := s.redis.rdb.Pipeline()
		pipe.HSet(ctx, queue.TaskKey(queue.Default, broken), "msg", strings.Repeat("\xff", i+1), "state", "pending")
		pipe.HSet(ctx, queue.TaskKey(queue.Default, odd), "result", "left behind")
		pipe.LPush(ctx, queue.PendingKey(queue.Default), broken, ghost, odd)
		pipe.ZAdd(ctx, queue.RetryKey(queue.Default), redis.Z{Score: float64(time.Now().Unix()), Member: ghost + "-retry"})
		if _, err := pipe.Exec(ctx); err != nil {
			s.t.Fatal(err)
		}
		wrong, loose = append(wrong, broken), append(loose, ghost, odd, ghost+"-retry")
	}
	return wrong, loose
}
