package permits

import (
	"context"
	"slices"
	"time"

	"github.com/layerq/layerq/layer"
)

// link is the way between two machines.
type link struct {
	s         *sim
	low, high time.Duration // one way
	stalls    []span        // in which nothing gets through
}

type span struct{ from, to time.Duration }

func (l *link) send(do func()) { l.s.after(l.delay(), do) }

// delay is how long something sent now is on its way: at least to the end of a stall.
func (l *link) delay() time.Duration {
	d := l.s.between(l.low, l.high)
	for _, stall := range l.stalls {
		if at := l.s.now + d; at >= stall.from && l.s.now < stall.to {
			d = max(d, stall.to-l.s.now)
		}
	}
	return d
}

// server is the API: a strict sliding window, and the judge.
type server struct {
	s         *sim
	per       time.Duration
	limit     func(now time.Duration) int
	work      func() time.Duration // from arrival to answer
	arrivals  []time.Duration
	admitted  []time.Duration
	recent    int // the first of admitted that is in the window
	refusedAt []time.Duration
}

// arrive takes a request and tells whether it was admitted.
func (v *server) arrive() bool {
	now := v.s.now
	v.arrivals = append(v.arrivals, now)
	for v.recent < len(v.admitted) && v.admitted[v.recent] <= now-v.per {
		v.recent++
	}
	if len(v.admitted)-v.recent >= v.limit(now) {
		v.refusedAt = append(v.refusedAt, now)
		return false
	}
	v.admitted = append(v.admitted, now)
	return true
}

// most is how many calls arrived in the fullest window that begins in a span.
func (v *server) most(from, to time.Duration) int {
	most, last := 0, 0
	for first, at := range v.arrivals {
		if at < from || at >= to {
			continue
		}
		for last < len(v.arrivals) && v.arrivals[last] < at+v.per {
			last++
		}
		most = max(most, last-first)
	}
	return most
}

// used is the share of what the limit allowed that was admitted in a span.
func (v *server) used(from, to time.Duration) float64 {
	allowed := 0.0
	const step = 10 * time.Millisecond
	for at := from; at < to; at += step {
		allowed += float64(v.limit(at)) * float64(step) / float64(v.per)
	}
	return float64(within(v.admitted, from, to)) / allowed
}

func (v *server) refused(from, to time.Duration) float64 {
	return float64(within(v.refusedAt, from, to)) / float64(max(1, within(v.arrivals, from, to)))
}

func within(times []time.Duration, from, to time.Duration) int {
	i, _ := slices.BinarySearch(times, from)
	j, _ := slices.BinarySearch(times, to)
	return j - i
}

// faults are what can become of a call.
type faults struct {
	timeout time.Duration // of the client
	// late is by how much the arrival of a request may outlive the attempt.
	late time.Duration
	cut  float64 // the connection breaks: the client learns it at any time, the request arrives at any time or never
	drop float64 // the answer never comes
	lag  time.Duration
}

// call makes one attempt over a link and says what the client learns of it.
// alive is asked before: a dead client sends nothing, and learns nothing, and what
// it sent arrives within a bound.
func (v *server) call(l *link, f faults, bound time.Duration, alive func() bool, done func(layer.Answer)) {
	s := v.s
	// The process may stand still between the permit and the request.
	s.after(s.between(0, f.lag), func() {
		if !alive() {
			return
		}
		sent, over := s.now, false
		finish := func(a layer.Answer) {
			if !over {
				over = true
				done(a)
			}
		}
		way := l.delay()
		if f.cut > 0 && s.chance(f.cut) {
			s.after(s.between(0, f.timeout), func() { finish(broken(layer.KindCut)) })
			if s.chance(0.5) {
				s.after(s.between(0, f.late), func() { v.arrive() })
			}
			return // dead or not: it is under way
		}
		s.after(f.timeout, func() { finish(broken(layer.KindTimeout)) })
		s.after(min(way, f.timeout+f.late), func() {
			if !alive() && s.now-sent > bound {
				return // later than what is promised of dead workers
			}
			status := 429
			if v.arrive() {
				status = 201
			}
			if s.chance(f.drop) {
				return
			}
			s.after(v.work(), func() {
				l.send(func() {
					if s.now-sent < f.timeout {
						finish(layer.Answer{Status: status})
					}
				})
			})
		})
	})
}

func broken(kind layer.Kind) layer.Answer {
	return layer.Answer{Err: &layer.TransportError{Kind: kind, Err: context.DeadlineExceeded}}
}
