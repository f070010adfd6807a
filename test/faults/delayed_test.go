//go:build faults && linux

package faults

import (
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
)

// Half of the messages are to be sent some seconds later than they are enqueued, at a time or after a delay, in the same
// conversations as the others: none is sent before its time, and all stand in the order in which they were due.
func TestKill_with_delayed_tasks(t *testing.T) {
	t.Parallel()
	row{name: "worker: kill -9 every 2 s, half of the tasks delayed", compare: true, latency: 100 * time.Millisecond}.run(t, func(s *site) {
		l := s.messages(rowTasks(), lanes(rowTasks()))
		last := l.delay(span())
		s.Start(3)
		stop := rig.Every(s.t, 2*time.Second, s.replace)
		l.enqueue(span())
		<-time.After(time.Until(last)) // workers die also while tasks become due
		stop()
		s.finish(l, time.Now(), allowed{repeats: anyNumber}, recovery)
	})
}

// delay puts off half of the tasks that will be enqueued over a time from now on, each until 1 to 5 s after its turn, and
// returns when the last of them is due.
func (l *load) delay(over time.Duration) time.Time {
	begin := time.Now()
	last := begin
	for _, j := range l.jobs {
		later := time.Second + ms(l.site.dice.n(4000))
		turn := begin.Add(over * time.Duration(j.n) / time.Duration(len(l.jobs)))
		switch l.site.dice.n(4) {
		case 0:
			j.at = turn.Add(later)
		case 1:
			j.in = later
		default:
			continue
		}
		if due := queue.NextSecond(turn.Add(later)); due.After(last) {
			last = due
		}
	}
	return last
}

// delayed tells whether the job is to be done later than it is enqueued.
func (j *job) delayed() bool { return j.in > 0 || !j.at.IsZero() }

// options are what the job is enqueued with.
func (j *job) options() []tasks.Option {
	list := []tasks.Option{tasks.Key(j.key)}
	switch {
	case !j.at.IsZero():
		list = append(list, tasks.At(j.at))
	case j.in > 0:
		list = append(list, tasks.In(j.in))
	}
	return list
}

// joins is between which times an accepted job joined its lane: by the rounding to full seconds that is one time for most
// of the delayed ones.
func (j *job) joins() (from, to time.Time) {
	switch {
	case j.in > 0:
		return queue.NextSecond(j.sent.Add(j.in)), queue.NextSecond(j.accepted.Add(j.in))
	case j.at.IsZero():
		return j.sent, j.accepted
	case j.accepted.Before(j.at):
		return queue.NextSecond(j.at), queue.NextSecond(j.at)
	}
	return j.at, queue.NextSecond(j.accepted) // it came too late to be delayed, perhaps
}

// before tells whether a job must take effect before another one of its lane.
func (j *job) before(other *job) bool {
	from, to := other.joins()
	first, last := j.joins()
	switch {
	case !j.delayed() && !other.delayed():
		return j.n < other.n
	case !last.Equal(from):
		return last.Before(from)
	case j.delayed() && other.delayed():
		return first.Equal(last) && from.Equal(to) && j.n < other.n
	}
	return j.delayed() // those that are due at a time are before those that are enqueued at it
}

// turned is how many of a lane, in the order in which they took effect, came before one that must be before them.
func turned(lane []*job) int {
	n := 0
	for i, j := range lane {
		for _, later := range lane[i+1:] {
			if later.before(j) {
				n++
				break
			}
		}
	}
	return n
}

// early fails the row for calls that were made before the time of their task.
func (s *site) early(l *load) {
	s.t.Helper()
	for _, r := range s.emulator.Requests(l.since) {
		j := l.byDedupe(r.Dedupe)
		if j == nil || !j.delayed() || j.accepted.IsZero() {
			continue
		}
		if from, _ := j.joins(); r.At.Before(from) {
			s.t.Errorf("%s was called at %s, and is due at %s", j.key, r.At.Format(time.StampMilli), from.Format(time.StampMilli))
		}
	}
}
