//go:build faults && linux

package faults

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// No worker dies in these rows, and Layer answers everything: not one call is to be
// made twice, if Redis forgets nothing.
func TestRedis_frozen_restarted_killed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fsync string
		fault       func(r *rig.Redis)
		forgets     bool // see forgotten
	}{
		{name: "frozen 3 s", fault: func(r *rig.Redis) { r.Proc.Freeze(3 * time.Second) }},
		{name: "frozen 20 s", fault: func(r *rig.Redis) { r.Proc.Freeze(20 * time.Second) }},
		{name: restarted, fault: func(r *rig.Redis) { r.Restart(3 * time.Second) }},
		{name: "kill -9, appendfsync everysec", fault: func(r *rig.Redis) { r.Crash(time.Second) }, forgets: true},
		{name: "kill -9, appendfsync always", fsync: "always", fault: func(r *rig.Redis) { r.Crash(time.Second) }},
	} {
		row{name: "Redis: " + c.name, compare: true, fsync: c.fsync, latency: 250 * time.Millisecond}.run(t, func(s *site) {
			l := s.load(rowTasks())
			s.Start(3)
			var at time.Time
			over := rig.Meanwhile(s.t, func() {
				<-time.After(span() / 3)
				at = time.Now()
				c.fault(s.redis)
			})
			l.enqueue(span())
			over()
			ok := allowed{}
			if c.forgets {
				ok.lost, ok.repeats = forgotten(at), anyNumber // that a task was done may be forgotten, too
			}
			s.finish(l, time.Now(), ok, recovery)
		})
	}
}

const restarted = "restarted"

// forgotten says which accepted tasks a Redis that was killed with appendfsync everysec may have forgotten. It
// answers after it has written to its file, and what was written survives the
// process - but with everysec a write may be put off, for up to 2 s, while the file is synced. A power
// cut is another matter: see docs/reliability.md.
func forgotten(killed time.Time) func(*job) bool {
	const putOff = 2 * time.Second
	return func(j *job) bool { return j.accepted.Before(killed) && j.accepted.After(killed.Add(-putOff)) }
}

// A Redis that hangs just when tasks are done is the case in which asynq runs them
// twice: it repeats its acknowledgement with a context that has ended.
func TestRedis_frozen_when_tasks_are_done(t *testing.T) {
	t.Parallel()
	row{name: "Redis: frozen 3 s when calls are answered", compare: true, latency: 250 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		var over time.Time
		var enqueued atomic.Bool // after which no call may come any more
		stop := rig.Every(s.t, 2*time.Second, func() {
			// Between the calls and their answers.
			before := s.emulator.Mark()
			rig.Eventually(s.t, time.Minute, "calls are under way", func() bool {
				return s.emulator.Mark() > before || enqueued.Load()
			})
			s.redis.Proc.Freeze(3 * time.Second)
			over = time.Now()
		})
		l.enqueue(span())
		enqueued.Store(true)
		stop()
		s.finish(l, over, allowed{}, recovery)
	})
}
