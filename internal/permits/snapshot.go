package permits

import (
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// Source is where permits come from.
type Source string

// The sources.
const (
	Fleet Source = "fleet" // Redis, for all workers together
	Local Source = "local" // this worker's share: Redis does not answer
)

// Snapshot is what a limiter knows, at most a few seconds old.
type Snapshot struct {
	Source Source
	// Limit is the one in force: the fleet's, or this worker's share of it. Zero
	// while it is not known yet.
	Limit Limit
	// Auto tells that it was found out.
	Auto bool
	// Taken are the permits that are in use or not free yet, Limit at most: the fleet's, or this worker's.
	Taken int
	// Workers are the workers of the fleet.
	Workers int
	// Waiting are the calls that wait in this process, by queue, for every queue.
	Waiting map[string]int
	// FleetWaiting are the calls that wait in all processes, CriticalWaiting those of them of queue critical.
	FleetWaiting, CriticalWaiting int
	// Age is how long ago Redis answered last.
	Age time.Duration
}

// Snapshot returns what the limiter knows, without asking Redis.
func (l *Limiter) Snapshot() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c := l.core
	s := Snapshot{
		Source: Fleet, Auto: l.auto, Age: now - c.heardAt,
		Limit: Limit{c.last.limit, l.per}, Taken: min(c.last.taken, c.last.limit), Workers: c.workers,
		FleetWaiting:    c.last.waiting[critical] + c.last.waiting[others],
		CriticalWaiting: c.last.waiting[critical],
		Waiting:         make(map[string]int),
	}
	if c.last.limit == 0 {
		s.Limit = Limit{}
	}
	for _, name := range queue.Names {
		s.Waiting[name] = c.waiting.count[name]
	}
	if c.alone != nil {
		c.own.expire(now)
		s.Source, s.Limit.N, s.Taken = Local, c.allowed(now), c.own.len()
		s.FleetWaiting, s.CriticalWaiting = c.waiting.len(critical)+c.waiting.len(others), c.waiting.len(critical)
	}
	return s
}
