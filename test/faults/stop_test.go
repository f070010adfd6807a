//go:build faults && linux

package faults

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
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
	row{name: "worker: SIGSTOP for longer than its lease", latency: 200 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		victim := s.Living()[s.dice.n(3)]
		frozen := make(chan struct{})
		go func() {
			defer close(frozen)
			<-time.After(span() / 2)
			victim.Freeze(asleep())
		}()
		l.enqueue(span())
		<-frozen
		// What was under way in its hands is called again by others.
		s.finish(l, time.Now(), allowed{repeats: slots()}, recovery)
	})
}

// One that stops between taking a task and calling has called nothing: when it wakes
// up, others have done it, and it must not do it once more.
func TestStopped_before_the_call(t *testing.T) {
	t.Parallel()
	row{name: "worker: SIGSTOP between taking a task and calling", latency: 20 * time.Millisecond, env: oneAtATime}.run(t, func(s *site) {
		l := s.load(rowTasks())
		asleepAll := s.sleepers("before-call", 5)
		l.enqueue(span())
		rig.Eventually(s.t, time.Minute, "every worker that is to stop has stopped", func() bool { return allStopped(asleepAll) })
		<-time.After(asleep())
		for _, p := range asleepAll {
			p.Signal(syscall.SIGCONT)
		}
		s.finish(l, time.Now(), allowed{repeats: 0}, patience)
	})
}

// sleeping is how many workers stop.
const sleeping = 3

// sleepers starts workers that stop when they reach a point for the nth time, and others that do not.
func (s *site) sleepers(point string, nth int) []*rig.Process {
	s.t.Helper()
	for range sleeping {
		s.Worker(fmt.Sprintf("FAULTS_FAILPOINT=%s:stop:%d", point, nth))
	}
	list := s.Living()
	s.Start(oneSlotWorkers())
	return list
}

func allStopped(list []*rig.Process) bool {
	for _, p := range list {
		if !p.Stopped() {
			return false
		}
	}
	return true
}

// One that stops when Layer has answered, and wakes up when its task was given back to the
// queue but is not yet in other hands, still says that it is done: nobody calls again.
func TestStopped_after_the_answer(t *testing.T) {
	t.Parallel()
	row{name: "worker: SIGSTOP after the answer, until the lease is over", latency: 20 * time.Millisecond, env: oneAtATime}.run(t, func(s *site) {
		l := s.load(rowTasks())
		// All else is to be done before their leases are over: they stop when more than half of it is.
		share := rowTasks() / (sleeping + oneSlotWorkers())
		asleepAll := s.sleepers("after-call", share*6/10)
		l.enqueue(span() / 3)
		rig.Eventually(s.t, time.Minute, "every worker that is to stop has stopped", func() bool { return allStopped(asleepAll) })
		rig.Eventually(s.t, time.Minute, "all but their tasks, and what waits behind them, is done", func() bool {
			infos, err := queue.NewStore(s.redis.Client).Queues(s.t.Context())
			return err == nil && infos[1].Pending+infos[1].Retry == 0 && infos[1].Active == len(asleepAll)
		})
		client, err := tasks.NewClient(s.redis.URL())
		if err != nil {
			s.t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.Pause(s.t.Context(), queue.Default); err != nil {
			s.t.Fatal(err)
		}
		given := func(marked int) func() bool { return func() bool { return s.givenBack(len(asleepAll), marked) } }
		rig.Eventually(s.t, time.Minute, "their tasks are pending again", given(0))
		for _, p := range asleepAll {
			p.Signal(syscall.SIGCONT)
		}
		if os.Getenv(withoutName) != "marker" {
			rig.Eventually(s.t, time.Minute, "their tasks are marked as done", given(len(asleepAll)))
		}
		if _, _, err := client.Resume(s.t.Context(), queue.Default); err != nil {
			s.t.Fatal(err)
		}
		s.finish(l, time.Now(), allowed{repeats: 0}, patience)
	})
}

// givenBack reports whether so many tasks are pending, and as many of them as given marked as done.
func (s *site) givenBack(pending, marked int) bool {
	ids := s.redis.Client.LRange(s.t.Context(), queue.PendingKey(queue.Default), 0, -1).Val()
	n := 0
	for _, id := range ids {
		if s.redis.Client.HExists(s.t.Context(), queue.TaskKey(queue.Default, id), queue.FieldResult).Val() {
			n++
		}
	}
	return len(ids) == pending && n == marked
}
