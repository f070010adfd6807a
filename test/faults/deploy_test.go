//go:build faults && linux

package faults

import (
	"syscall"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/test/rig"
)

// All workers are replaced one after the other, twice, as a deploy does: the new one is
// there before the old one is told to end.
func TestDeploy_twice(t *testing.T) {
	t.Parallel()
	row{name: "worker: all replaced, twice", compare: true, latency: 300 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		over := rig.Meanwhile(s.t, func() {
			for range 2 {
				for _, old := range s.Living() {
					<-time.After(span() / 8)
					s.Worker()
					old.Signal(syscall.SIGTERM)
					if code := old.Wait(time.Minute); code != 0 {
						s.failf("%s ended with %d", old.Name, code)
					}
				}
			}
		})
		l.enqueue(span())
		s.finish(l, over(), allowed{}, patience)
	})
}

// Some calls take longer than a worker has to end: it is cut off while Layer has done the work, and has not answered. The
// task goes back to its queue, has spent no attempt, and takes effect once. At last all workers end before there are others, while no call
// is answered in time: what they had in their hands is nobody's then.
func TestDeploy_cut_off(t *testing.T) {
	t.Parallel()
	const drain = 2 * time.Second
	row{name: "worker: all replaced, calls cut off", compare: true, latency: 100 * time.Millisecond, env: []string{drainName + "=" + drain.String()}}.run(t, func(s *site) {
		slow := layertest.Rule{AfterCommit: true, Latency: layertest.Duration(2 * drain)}
		last := rowTasks() / 10 // for the workers that end at last
		l := s.messages(rowTasks()-last, lanes(rowTasks()))
		s.emulator.Faults(some(5, slow))
		s.Start(3)
		replaced := rig.Meanwhile(s.t, func() {
			for _, old := range s.Living() {
				<-time.After(span() / 6)
				s.Worker()
				s.ended(old)
			}
		})
		l.enqueue(span())
		replaced()

		s.emulator.Faults(some(100, slow))
		before := s.emulator.Mark()
		l.addMessages(last)
		l.enqueue(0)
		s.eventually(time.Minute, "a call is under way that takes longer than a worker has to end", func() bool { return s.emulator.Mark() > before })
		s.ended(s.Living()...)
		s.handedBack()
		s.emulator.Faults(some(5, slow))
		s.Start(3)
		s.finish(l, time.Now(), allowed{repeats: anyNumber}, recovery)
	})
}

// ended tells workers to end, all at once, and waits until they have.
func (s *site) ended(list ...*rig.Process) {
	for _, p := range list {
		p.Signal(syscall.SIGTERM)
	}
	for _, p := range list {
		if code := p.Wait(time.Minute); code != 0 {
			s.failf("%s ended with %d", p.Name, code)
		}
	}
}

// handedBack looks at what workers have left that were cut off. There is no other.
func (s *site) handedBack() {
	if s.engine == bare {
		return
	}
	ctx := s.t.Context()
	if left := rig.Read(s.t, s.redis.Client.LLen(ctx, queue.ActiveKey(queue.Default))); left > 0 {
		s.t.Errorf("%d tasks are left in the hands of workers that have ended", left)
		return
	}
	cut := 0
	for _, id := range rig.Read(s.t, s.redis.Client.LRange(ctx, queue.PendingKey(queue.Default), 0, -1)) {
		fields := rig.Read(s.t, s.redis.Client.HMGet(ctx, queue.TaskKey(queue.Default, id), queue.FieldDeliveries, queue.FieldAttempts, "crashes"))
		if fields[0] == nil || fields[0] == "0" {
			continue
		}
		cut++
		if fields[1] != nil || fields[2] != nil {
			s.t.Errorf("%s was cut off, and has spent %v attempts, and crashed %v times", id, fields[1], fields[2])
		}
	}
	s.t.Logf("%d tasks were cut off by the last ones", cut)
	if cut == 0 {
		s.t.Error("no task was cut off: the row proves nothing")
	}
}
