//go:build faults && linux

package faults

import (
	"syscall"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// asleep is how long a worker is stopped: longer than the 30 s of a lease.
func asleep() time.Duration {
	if *long {
		return 90 * time.Second
	}
	return 40 * time.Second
}

// A worker that is stopped loses its tasks to others, and must find out when it
// wakes up.
func TestStopped_for_longer_than_the_lease(t *testing.T) {
	t.Parallel()
	ours(t, func(t *testing.T, e engine) {
		t.Helper()
		s := newSite(t, e, setup{latency: 200 * time.Millisecond})
		l := s.load(rowTasks())
		s.start(3)
		victim := s.living()[s.dice.n(3)]
		frozen := make(chan struct{})
		go func() {
			defer close(frozen)
			<-time.After(span() / 2)
			victim.freeze(asleep())
		}()
		l.enqueue(span())
		<-frozen
		// What was under way in its hands is called again by others.
		b := s.close(l, time.Now(), allowed{repeats: slots()})
		s.record("worker: SIGSTOP for longer than its lease", b)
		s.within(b, recovery)
	})
}

// One that stops between taking a task and calling has called nothing: when it wakes
// up, others have done it, and it must not do it once more.
func TestStopped_before_the_call(t *testing.T) {
	t.Parallel()
	s := newSite(t, layerq, setup{latency: 20 * time.Millisecond, env: oneAtATime})
	l := s.load(rowTasks())
	const sleepers = 3
	for range sleepers {
		s.worker("FAULTS_FAILPOINT=before-call:stop:5")
	}
	asleepAll := s.living()
	for range 8 {
		s.worker()
	}
	l.enqueue(span())
	<-time.After(asleep())
	for _, p := range asleepAll {
		if !p.stopped() {
			t.Errorf("%s has not stopped itself", p.name)
		}
		p.signal(syscall.SIGCONT)
	}
	b := s.close(l, time.Now(), allowed{repeats: 0})
	s.record("worker: SIGSTOP between taking a task and calling", b)
}

// One that stops when Layer has answered, and wakes up when its task was given back to the
// queue but is not yet in other hands, still says that it is done: nobody calls again.
func TestStopped_after_the_answer(t *testing.T) {
	t.Parallel()
	s := newSite(t, layerq, setup{latency: 20 * time.Millisecond, env: oneAtATime})
	l := s.load(rowTasks())
	const sleepers = 3
	for range sleepers {
		s.worker("FAULTS_FAILPOINT=after-call:stop:5")
	}
	asleepAll := s.living()
	for range 8 {
		s.worker()
	}
	l.enqueue(span())
	eventually(t, time.Minute, "every worker that is to stop has stopped", func() bool {
		for _, p := range asleepAll {
			if !p.stopped() {
				return false
			}
		}
		return true
	})
	eventually(t, time.Minute, "all but their tasks, and what waits behind them, is done", func() bool {
		infos, err := queue.NewStore(s.redis.rdb).Queues(t.Context())
		return err == nil && infos[1].Pending+infos[1].Retry == 0 && infos[1].Active == sleepers
	})
	client, err := tasks.NewClient(s.redisURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Pause(t.Context(), queue.Default); err != nil {
		t.Fatal(err)
	}
	given := func(marked int) func() bool {
		return func() bool {
			ids := s.redis.rdb.LRange(t.Context(), queue.PendingKey(queue.Default), 0, -1).Val()
			n := 0
			for _, id := range ids {
				if s.redis.rdb.HExists(t.Context(), queue.TaskKey(queue.Default, id), queue.FieldResult).Val() {
					n++
				}
			}
			return len(ids) == sleepers && n == marked
		}
	}
	eventually(t, time.Minute, "their tasks are pending again", given(0))
	for _, p := range asleepAll {
		p.signal(syscall.SIGCONT)
	}
	eventually(t, time.Minute, "their tasks are marked as done", given(sleepers))
	if _, _, err := client.Resume(t.Context(), queue.Default); err != nil {
		t.Fatal(err)
	}
	b := s.close(l, time.Now(), allowed{repeats: 0})
	s.record("worker: SIGSTOP after the answer, until the lease is over", b)
}
