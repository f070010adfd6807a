//go:build faults && linux

package faults

import (
	"testing"
	"time"
)

// No worker dies in these rows, and Layer answers everything: not one call is to be
// made twice.
func TestRedis_frozen_restarted_killed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, row, fsync string
		fault            func(r *redisServer)
	}{
		{"frozen 3 s", "Redis: frozen 3 s", "everysec", func(r *redisServer) { r.proc.freeze(3 * time.Second) }},
		{"frozen 20 s", "Redis: frozen 20 s", "everysec", func(r *redisServer) { r.proc.freeze(20 * time.Second) }},
		{"restarted", "Redis: restarted", "everysec", func(r *redisServer) { r.restart(2 * time.Second) }},
		{"killed, everysec", "Redis: kill -9, appendfsync everysec", "everysec", func(r *redisServer) { r.crash(time.Second) }},
		{"killed, always", "Redis: kill -9, appendfsync always", "always", func(r *redisServer) { r.crash(time.Second) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours(t, func(t *testing.T, e engine) {
				t.Helper()
				s := newSite(t, e, setup{fsync: c.fsync, latency: 100 * time.Millisecond})
				l := s.load(rowTasks())
				s.start(3)
				var at time.Time
				done := make(chan struct{})
				go func() {
					defer close(done)
					<-time.After(span() / 3)
					at = time.Now()
					c.fault(s.redis)
				}()
				l.enqueue(span())
				<-done
				over := time.Now()
				b := s.close(l, over, allowed{lost: forgotten(c.fsync, c.name, at)})
				s.record(c.row, b)
				s.within(b, recovery)
			})
		})
	}
}

// forgotten says which accepted tasks a Redis that was killed may have forgotten. It
// answers after it has written to its file, and what was written survives the
// process - but with everysec a write may be put off, for up to 2 s, while the file is synced. A power
// cut is another matter: see docs/reliability.md.
func forgotten(fsync, name string, killed time.Time) func(*job) bool {
	if fsync != "everysec" || name != "killed, everysec" {
		return nil
	}
	const putOff = 2 * time.Second
	return func(j *job) bool { return j.accepted.Before(killed) && j.accepted.After(killed.Add(-putOff)) }
}

// A Redis that hangs just when tasks are done is the case in which asynq runs them
// twice: it repeats its acknowledgement with a context that has ended.
func TestRedis_frozen_when_tasks_are_done(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e engine) {
		t.Helper()
		s := newSite(t, e, setup{latency: 500 * time.Millisecond})
		l := s.load(rowTasks())
		s.start(3)
		var over time.Time
		stop := every(2*time.Second, func() {
			// Between the calls and their answers.
			before := s.emulator.mark()
			eventually(t, time.Minute, "calls are under way", func() bool { return s.emulator.mark() > before || len(l.accepted()) == len(l.jobs) })
			s.redis.proc.freeze(3 * time.Second)
			over = time.Now()
		})
		l.enqueue(span())
		stop()
		b := s.close(l, over, allowed{})
		s.record("Redis: frozen 3 s when calls are answered", b)
		s.within(b, recovery)
	})
}
