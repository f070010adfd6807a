//go:build faults && linux

package faults

import (
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// failing is how a connection fails.
type failing struct {
	name    string
	lasting []rig.Toxic                   // there all the time
	moment  func(link *rig.Link, d *dice) // again and again
	// slow is when a worker takes a few tasks a second only, one in each round trip: it needs more workers.
	slow bool
}

func (f failing) workers() int {
	switch {
	case !f.slow:
		return 3
	case *long:
		return 40
	}
	return 8
}

var failings = []failing{
	{name: "cut at random", moment: func(link *rig.Link, d *dice) { link.Cut(ms(d.n(200))) }},
	{name: "replies lost", moment: func(link *rig.Link, d *dice) { link.Deafen(ms(50 + d.n(200))) }},
	{name: "200 ms", lasting: rig.Latency(180*time.Millisecond, 220*time.Millisecond), slow: true},
	{name: "slow close", lasting: []rig.Toxic{
		{Name: "asked", Type: "slow_close", Stream: "upstream", Attributes: map[string]int{"delay": 2000}},
		{Name: "answered", Type: "slow_close", Stream: "downstream", Attributes: map[string]int{"delay": 2000}},
	}, moment: func(link *rig.Link, d *dice) { link.Cut(ms(d.n(100))) }},
}

// fail makes a link fail until stop is called; what lasts stays.
func (f failing) fail(s *site, link *rig.Link) (stop func()) {
	link.Add(f.lasting...)
	if f.moment == nil {
		return func() {}
	}
	return rig.Every(s.t, 500*time.Millisecond, func() { f.moment(link, s.dice) })
}

// The connections of the producer to Redis fail in each of these ways. Every task that it was told to be
// accepted is there, and once: also those of which it was not told.
func TestConnection_of_the_producer_to_Redis(t *testing.T) {
	t.Parallel()
	for _, f := range failings {
		row{name: "producer to Redis: " + f.name, compare: true, latency: 20 * time.Millisecond}.run(t, func(s *site) {
			l := s.load(rowTasks())
			s.Start(3)
			link := rig.NewLink(s.t, s.redis.Addr())
			stop := f.fail(s, link)
			l.enqueueThrough(link.Addr(), span())
			stop()
			s.finish(l, time.Now(), allowed{}, recovery)
		})
	}
}

// The connections of the workers to Redis fail in each of these ways. Layer answers everything: not one
// call is to be made twice.
func TestConnection_of_workers_to_Redis(t *testing.T) {
	t.Parallel()
	for _, f := range failings {
		row{name: "worker to Redis: " + f.name, compare: true, links: true, latency: 100 * time.Millisecond}.run(t, func(s *site) {
			l := s.load(rowTasks())
			stop := f.fail(s, s.toRedis)
			s.Start(f.workers())
			l.enqueue(span())
			stop()
			s.finish(l, time.Now(), allowed{}, recovery)
		})
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// The connection to Layer breaks in the middle of calls.
func TestConnection_to_Layer(t *testing.T) {
	t.Parallel()
	row{name: "worker to Layer: cut, answers lost", compare: true, hangs: true, links: true, latency: 100 * time.Millisecond}.run(t, func(s *site) {
		l := s.load(rowTasks())
		s.Start(3)
		stop := rig.Every(s.t, 500*time.Millisecond, func() {
			if s.dice.n(2) == 0 {
				s.toLayer.Cut(ms(s.dice.n(200)))
			} else {
				s.toLayer.Deafen(ms(50 + s.dice.n(200)))
			}
		})
		l.enqueue(span())
		stop()
		s.finish(l, time.Now(), allowed{repeats: anyNumber}, recovery)
	})
}
