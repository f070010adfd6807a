//go:build faults && linux

package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// span is how long a row hands its tasks over, and so how long its faults go on.
func span() time.Duration {
	if *long {
		return 30 * time.Second
	}
	return 8 * time.Second
}

const (
	// patience is how long a row may take to settle.
	patience = 8 * time.Minute
	// recovery is what the tasks of a worker that is gone may take to run again:
	// 40 s, and the time of the tasks that wait behind them in their lanes.
	recovery = 45 * time.Second
)

func TestKill_every_2_seconds(t *testing.T) {
	t.Parallel()
	row{name: "worker: kill -9 every 2 s", compare: true, latency: 200 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		stop := rig.Every(s.t, 2*time.Second, s.replace)
		l.enqueue(span())
		stop()
		s.finish(l, time.Now(), allowed{repeats: anyNumber}, recovery)
	})
}

// Each worker kills itself at one step of a task, and another one takes its place.
func TestKill_at_each_step(t *testing.T) {
	t.Parallel()
	for _, step := range []struct {
		point, name string
		repeats     int
		ours        bool // bare asynq has no such step
	}{
		{"before-call", "worker: kill -9 before the call", 0, false},
		{"during-call", "worker: kill -9 during the call", anyNumber, false},
		{"after-call", "worker: kill -9 after the call, before the marker", anyNumber, false},
		{"after-ack", "worker: kill -9 after the marker, before asynq's acknowledgement", 0, true},
	} {
		// They have no other task in their hands when they die, whose call would have to be repeated.
		row{name: step.name, compare: !step.ours, latency: 30 * time.Millisecond, env: oneAtATime}.run(t, func(s *site) {
			l := s.load(rowTasks())
			victims := 2
			if *long {
				victims = 6
			}
			for range victims {
				s.Worker(fmt.Sprintf("FAULTS_FAILPOINT=%s:kill:%d", step.point, 1+s.dice.n(20)))
			}
			doomed := s.Living()
			s.Start(oneSlotWorkers())
			l.enqueue(span())
			s.eventually(time.Minute, "every fail point was reached", func() bool {
				for _, p := range doomed {
					if !p.Killed() {
						return false
					}
				}
				return true
			})
			s.finish(l, time.Now(), allowed{repeats: step.repeats}, recovery)
		})
	}
}

// oneAtATime makes workers of one slot.
var oneAtATime = []string{"LAYERQ_QUEUES=default=1"}

// oneSlotWorkers is how many of them get a row done in little more than its span, if calls take 30 ms at most.
func oneSlotWorkers() int {
	if *long {
		return 16
	}
	return 4
}
