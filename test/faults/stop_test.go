//go:build faults && linux

package faults

import (
	"fmt"
	"slices"
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
	row{name: "worker: SIGSTOP for longer than its lease", compare: true, latency: 200 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		victim := s.Living()[s.dice.n(3)]
		awake := rig.Meanwhile(s.t, func() {
			<-time.After(span() / 2)
			victim.Freeze(asleep())
		})
		l.enqueue(span())
		awake()
		// What was under way in its hands is called again by others.
		s.finish(l, time.Now(), allowed{repeats: slots()}, recovery)
	})
}

// One that stops between taking a task and calling has called nothing: when it wakes
// up, others have done it, and it must not do it once more.
func TestStopped_before_the_call(t *testing.T) {
	t.Parallel()
	row{name: "worker: SIGSTOP between taking a task and calling", compare: true, latency: 20 * time.Millisecond, env: oneAtATime}.run(t, func(s *site) {
		l := s.load(rowTasks())
		asleepAll := s.sleepers("before-call")
		s.Start(oneSlotWorkers())
		l.enqueue(span())
		s.eventually(time.Minute, "every worker that is to stop has stopped", func() bool { return allStopped(asleepAll) })
		<-time.After(asleep())
		for _, p := range asleepAll {
			p.Signal(syscall.SIGCONT)
		}
		s.finish(l, time.Now(), allowed{repeats: 0}, patience)
	})
}

// sleepers starts three workers that stop when they reach a point for the fifth time.
func (s *site) sleepers(point string) []*rig.Process {
	s.t.Helper()
	const sleeping, nth = 3, 5
	for range sleeping {
		s.Worker(fmt.Sprintf("FAULTS_FAILPOINT=%s:stop:%d", point, nth))
	}
	return s.Living()
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
	row{name: "worker: SIGSTOP after the answer, until the lease is over", compare: true, latency: 20 * time.Millisecond, env: oneAtATime}.run(t, func(s *site) {
		l := s.load(rowTasks())
		// There are no others at first, so that each of them comes to where it stops, and has the one task that it stopped with.
		asleepAll := s.sleepers("after-call")
		l.enqueue(span() / 3)
		s.eventually(time.Minute, "every worker that is to stop has stopped", func() bool { return allStopped(asleepAll) })
		client, err := tasks.NewClient(s.redis.URL())
		if err != nil {
			s.t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.Pause(s.t.Context(), queue.Default); err != nil {
			s.t.Fatal(err)
		}
		theirs := rig.Read(s.t, s.redis.Client.LRange(s.t.Context(), queue.ActiveKey(queue.Default), 0, -1))
		if len(theirs) != len(asleepAll) {
			s.failf("%d workers have %d tasks", len(asleepAll), len(theirs))
		}
		s.Start(oneSlotWorkers()) // who look for leases that are over, and take nothing
		s.eventually(time.Minute, "their tasks are pending again", func() bool { return all(theirs, s.pending) })
		if s.engine == layerq && slices.ContainsFunc(theirs, s.marked) {
			s.t.Fatal("a task is marked as done by a worker that stopped before")
		}
		for _, p := range asleepAll {
			p.Signal(syscall.SIGCONT)
		}
		if s.engine == layerq && !without("marker") {
			rig.Eventually(s.t, time.Minute, "their tasks are marked as done", func() bool { return all(theirs, s.marked) })
		}
		if _, _, err := client.Resume(s.t.Context(), queue.Default); err != nil {
			s.t.Fatal(err)
		}
		s.finish(l, time.Now(), allowed{repeats: 0}, patience)
	})
}

func all(ids []string, holds func(id string) bool) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !holds(id) })
}

// pending tells whether a task waits for a worker.
func (s *site) pending(id string) bool {
	return s.redis.Client.HGet(s.t.Context(), queue.TaskKey(queue.Default, id), "state").Val() == "pending"
}

// marked tells whether a task is marked as done.
func (s *site) marked(id string) bool {
	s.t.Helper()
	return rig.Read(s.t, s.redis.Client.HExists(s.t.Context(), queue.TaskKey(queue.Default, id), queue.FieldResult))
}
