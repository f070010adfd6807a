package worker

import "sync"

// A flight counts the tasks of each queue that are being executed.
type flight struct {
	mu      sync.Mutex
	running map[string]int
}

func newFlight(queues map[string]int) *flight {
	f := &flight{running: make(map[string]int, len(queues))}
	for name := range queues {
		f.running[name] = 0
	}
	return f
}

// enter counts a task, and leave uncounts it.
func (f *flight) enter(queue string) (leave func()) {
	f.add(queue, 1)
	return func() { f.add(queue, -1) }
}

func (f *flight) add(queue string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[queue] += n
}

// now returns how many tasks of a queue are being executed.
func (f *flight) now(queue string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[queue]
}

// total returns how many tasks are being executed.
func (f *flight) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, running := range f.running {
		n += running
	}
	return n
}
