//go:build faults && linux

package faults

import (
	"testing"
	"time"
)

// The connections to Redis, of workers and of the producer, fail in each of these ways all the
// time. Layer answers everything: not one call is to be made twice.
func TestConnection_to_Redis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, row string
		lasting   []toxic                // there all the time
		moment    func(l *link, d *dice) // again and again
		compare   bool                   // with bare asynq
	}{
		{"cut at random", "worker, producer to Redis: cut at random", nil, func(l *link, d *dice) { l.cut(ms(d.n(200))) }, false},
		{"replies lost", "worker, producer to Redis: replies lost", nil, func(l *link, d *dice) { l.deafen(ms(50 + d.n(200))) }, true},
		{"200 ms", "worker, producer to Redis: 200 ms", []toxic{
			{"asked", "latency", "upstream", map[string]int{"latency": 100, "jitter": 20}},
			{"answered", "latency", "downstream", map[string]int{"latency": 100, "jitter": 20}},
		}, nil, false},
		{"slow close", "worker, producer to Redis: slow close", []toxic{
			{"asked", "slow_close", "upstream", map[string]int{"delay": 2000}},
			{"answered", "slow_close", "downstream", map[string]int{"delay": 2000}},
		}, func(l *link, d *dice) { l.cut(ms(d.n(100))) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs := ours
			if c.compare {
				runs = both
			}
			runs(t, func(t *testing.T, e engine) {
				t.Helper()
				s := newSite(t, e, setup{links: true, latency: 100 * time.Millisecond})
				l := s.load(rowTasks())
				producer := newLink(t, s.redis.addr())
				links := []*link{s.toRedis, producer}
				for _, x := range links {
					x.add(c.lasting...)
				}
				s.start(3)
				stop := func() {}
				if c.moment != nil {
					stop = every(700*time.Millisecond, func() { c.moment(links[s.dice.n(len(links))], s.dice) })
				}
				l.enqueueThrough(producer.addr(), span())
				stop()
				b := s.close(l, time.Now(), allowed{turned: true})
				s.record(c.row, b)
				s.within(b, recovery)
			})
		})
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// The connection to Layer breaks in the middle of calls.
func TestConnection_to_Layer(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, e engine) {
		t.Helper()
		s := newSite(t, e, setup{links: true, latency: 100 * time.Millisecond})
		l := s.load(rowTasks())
		s.start(3)
		stop := every(500*time.Millisecond, func() {
			if s.dice.n(2) == 0 {
				s.toLayer.cut(ms(s.dice.n(200)))
			} else {
				s.toLayer.deafen(ms(50 + s.dice.n(200)))
			}
		})
		l.enqueue(span())
		stop()
		b := s.close(l, time.Now(), allowed{repeats: anyNumber})
		s.record("worker to Layer: cut, answers lost", b)
		s.within(b, recovery)
	})
}
