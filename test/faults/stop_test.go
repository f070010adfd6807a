//go:build faults && linux

package faults

import (
	"syscall"
	"testing"
	"time"
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
	both(t, func(t *testing.T, e engine) {
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
		b := s.close(l, time.Now(), allowed{repeats: 16})
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
