//go:build faults && linux

package faults

import (
	"fmt"
	"testing"
	"time"
)

// span is how long a row hands its tasks over, and so how long its faults go on.
func span() time.Duration {
	if *long {
		return time.Minute
	}
	return 8 * time.Second
}

const (
	// patience is how long a row may take to settle.
	patience = 4 * time.Minute
	// recovery is what the tasks of a worker that is gone may take to run again:
	// 40 s, and the time of the tasks that wait behind them in their lanes.
	recovery = 45 * time.Second
)

func TestKill_every_2_seconds(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e engine) {
		t.Helper()
		s := newSite(t, e, setup{latency: 100 * time.Millisecond})
		l := s.load(rowTasks())
		s.start(3)
		stop := every(2*time.Second, func() { s.replace() })
		l.enqueue(span())
		stop()
		b := s.close(l, time.Now(), allowed{repeats: anyNumber})
		s.record("worker: kill -9 every 2 s", b)
		s.within(b, recovery)
	})
}

// Each worker kills itself at one step of a task, and another one takes its place.
func TestKill_at_each_step(t *testing.T) {
	t.Parallel()
	steps := []struct {
		point, row string
		repeats    int
	}{
		{"before-call", "worker: kill -9 before the call", 0},
		{"during-call", "worker: kill -9 during the call", anyNumber},
		{"after-call", "worker: kill -9 after the call, before it is recorded", anyNumber},
		{"after-ack", "worker: kill -9 after the record, which acknowledges too", 0},
	}
	if !*long { // all of them in one row: most of the time is the wait for leases
		s := newSite(t, layerq, setup{latency: 30 * time.Millisecond, env: oneAtATime})
		l := s.load(rowTasks())
		for i, step := range steps {
			s.worker(fmt.Sprintf("FAULTS_FAILPOINT=%s:kill:%d", step.point, 5+i))
		}
		s.stepRow(l, len(steps), 2, "worker: kill -9 at each step")
		return
	}
	for _, step := range steps {
		t.Run(step.point, func(t *testing.T) {
			s := newSite(t, layerq, setup{latency: 30 * time.Millisecond, env: oneAtATime})
			l := s.load(rowTasks())
			const victims = 4
			for range victims {
				s.worker(fmt.Sprintf("FAULTS_FAILPOINT=%s:kill:%d", step.point, 20+s.dice.n(100)))
			}
			s.stepRow(l, victims, step.repeats, step.row)
		})
	}
}

// oneAtATime workers have no other task in their hands when they die at a step, whose
// call would have to be repeated.
var oneAtATime = []string{"LAYERQ_QUEUES=default=1"}

// stepRow waits until all victims have killed themselves, and replaces each.
func (s *site) stepRow(l *load, victims, repeats int, row string) {
	s.t.Helper()
	doomed := s.living()
	for range 4 * victims { // workers of one slot: enough of them
		s.worker()
	}
	l.enqueue(span())
	eventually(s.t, time.Minute, "every fail point was reached", func() bool {
		for _, p := range doomed {
			if !p.killed() {
				return false
			}
		}
		return true
	})
	b := s.close(l, time.Now(), allowed{repeats: repeats})
	s.record(row, b)
	s.within(b, recovery)
}
