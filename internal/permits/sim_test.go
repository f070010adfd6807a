package permits

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// sim is a clock and what is to happen. Everything happens in one goroutine, in
// the order of time, with random numbers from a seed: the same every time.
type sim struct {
	now    time.Duration
	rnd    *rand.Rand
	events events
	count  int
}

func newSim(seed uint64) *sim {
	return &sim{rnd: rand.New(rand.NewPCG(seed, 0))}
}

// event is something that happens, or is dropped before.
type event struct {
	at    time.Duration
	n     int // among those at the same time: first planned, first happened
	do    func()
	index int
}

// after plans do; a time that is past means now.
func (s *sim) after(d time.Duration, do func()) *event {
	s.count++
	e := &event{at: s.now + max(0, d), n: s.count, do: do}
	heap.Push(&s.events, e)
	return e
}

func (s *sim) drop(e *event) {
	if e != nil && e.index >= 0 {
		heap.Remove(&s.events, e.index)
	}
}

// run lets happen what is planned before until.
func (s *sim) run(until time.Duration) {
	for len(s.events) > 0 && s.events[0].at < until {
		e, _ := heap.Pop(&s.events).(*event)
		s.now = e.at
		e.do()
	}
	s.now = until
}

// between returns a time in [low, high).
func (s *sim) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(s.rnd.Int64N(int64(high-low)))
}

func (s *sim) chance(p float64) bool { return p > 0 && s.rnd.Float64() < p }

type events []*event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].n < h[j].n
}

func (h events) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *events) Push(x any) {
	e, _ := x.(*event)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *events) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
