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
	"github.com/layerq/layerq/test/rig"
)

const poisonMark = " (poison)"

// A task that kills its worker each time is given up after 5 crashes in a row. What
// else the workers had in their hands is not, and does not wait for that: only what is behind it in its lane does.
func TestPoison_among_good_ones(t *testing.T) {
	t.Parallel()
	row{
		name: "task: poison among good ones", compare: true, idle: true, latency: 100 * time.Millisecond,
		env: []string{"FAULTS_FAILPOINT=before-call:kill:has=" + poisonMark},
	}.run(t, func(s *site) {
		l := s.load(rowTasks())
		poison := s.poison(l)
		s.Start(3)
		stop := rig.Every(s.t, 100*time.Millisecond, func() {
			for range 3 - len(s.Living()) { // as whoever keeps workers running does
				s.Worker()
			}
		})
		l.enqueue(span())
		enqueued := time.Now()
		free, good := l.free(poison), make(chan time.Duration, 1)
		stopWatching := rig.Every(s.t, 200*time.Millisecond, func() {
			if int(s.redis.Client.ZCard(s.t.Context(), queue.CompletedKey(queue.Default)).Val()) >= free && len(good) == 0 {
				good <- time.Since(enqueued)
			}
		})
		took, _ := s.settle(enqueued, fiveCrashes)
		stopWatching()
		stop()
		if s.t.Failed() {
			return // it does not settle: no use in waiting once more
		}
		select {
		case after := <-good:
			s.t.Logf("the %d good ones that are not behind it were done after %v", free, after.Round(time.Second))
		default:
			s.failf("the %d good ones that are not behind it are not done", free)
		}
		s.finish(l, time.Now().Add(-took), allowed{archived: func(j *job) bool { return j == poison }, repeats: anyNumber}, fiveCrashes)
		if s.engine == bare {
			return
		}
		info := s.states(l)[poison]
		if info == nil || info.Attempts != 0 {
			s.t.Errorf("crashes have cost %s attempts: %+v", poison.key, info)
		}
	})
}

// fiveCrashes is what it takes to give poison up: each crash is noticed when its lease ends.
const fiveCrashes = 5 * recovery

// poison makes one of the load's messages poisonous.
func (s *site) poison(l *load) *job {
	place := len(l.jobs)/4 + s.dice.n(len(l.jobs)/2)
	j := l.message(place, poisonMark)
	l.replace(place, j)
	return j
}

// free is how many tasks do not wait for one: they come before it, or are not in its lane.
func (l *load) free(stuck *job) int {
	n := 0
	for _, j := range l.jobs {
		if j.n < stuck.n || j.conversation != stuck.conversation {
			n++
		}
	}
	return n
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
	row{name: "task: garbage among good ones", latency: 20 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(2)
		wrong, loose := s.garbage()
		l.enqueue(span())
		over := time.Now()
		s.settle(over, patience)
		inspector := asynq.NewInspector(asynq.RedisClientOpt{Addr: s.redis.Addr()})
		defer inspector.Close()
		for _, id := range wrong {
			found, err := inspector.GetTaskInfo(queue.Default, id)
			if err != nil {
				s.t.Errorf("garbage %s: %v", id, err)
				continue
			}
			if found.State != asynq.TaskStateArchived || found.LastErr == "" {
				s.t.Errorf("garbage %s is %v: %q", id, found.State, found.LastErr)
			}
			if err := inspector.DeleteTask(queue.Default, id); err != nil {
				s.t.Errorf("garbage %s: %v", id, err)
			}
		}
		for _, id := range loose {
			if n := rig.Read(s.t, s.redis.Client.Exists(s.t.Context(), queue.TaskKey(queue.Default, id))); n != 0 {
				s.t.Errorf("left of an id without a task: %s", id)
			}
		}
		b := s.close(l, over, allowed{})
		b.Archived = len(wrong)
		s.record(b)
	})
}

// garbage puts into the queue what no producer of ours would. It returns the ids of what
// is a task at least in form, and of what is none.
func (s *site) garbage() (wrong, loose []string) {
	s.t.Helper()
	ctx := s.t.Context()
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: s.redis.Addr()})
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
		pipe := s.redis.Client.Pipeline()
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
