package holds

import (
	"context"
	"slices"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// door is what lets tasks be taken in this process.
type door struct {
	me      string
	number  int            // of the last pass that asked for the probe
	window  int            // how many tasks of each queue may be in hand; 0 is as many as come
	opened  time.Time      // since when the window grows
	inside  map[string]int // how many are, by queue
	waiting map[string]int // who waits to take a task, by queue

	probe   *probe // this process has it
	permits map[*attempt]context.CancelCauseFunc
}

// A probe is the right to make one attempt while the fleet is held.
type probe struct {
	name  string
	until time.Time // of the lease
	turn  int       // how many failed before it
	pass  *Pass     // nil while nobody has taken it
	under bool      // its attempt is under way, or waits for a permit
	waits bool      // for a permit
}

// A Pass lets one task be taken and carried out. It is good for any number of
// calls, while the fleet is not held.
type Pass struct {
	keeper *Keeper
	queue  string
	probes bool // it was given as a probe
	any    bool // of those that wait, not the one that waits longest

	// Guarded by the keeper's mu.
	probe    *probe // nil when it is made
	released bool
}

// Probe says that the task was taken to find out whether a hold may end. If its call
// fails, that is no fault of the task, and costs it no attempt; but another task
// should be the next probe.
func (p *Pass) Probe() bool { return p.probes }

// Any says that the probe is to be any of the tasks that wait: those that have waited longest have failed.
func (p *Pass) Any() bool { return p.any }

// Release ends the pass: its task is over, or none was found. Further calls do nothing.
func (p *Pass) Release() {
	k := p.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	if p.released {
		return
	}
	p.released = true
	k.inside[p.queue]--
	k.unprobed(p)
	if k.anybody() {
		k.notify()
	}
}

// unprobed takes a probe back that was not made: somebody else in this process may have
// it, else somebody else. The caller has mu.
func (k *Keeper) unprobed(p *Pass) {
	if p.probe == nil {
		return
	}
	pr := p.probe
	p.probe = nil
	if k.probe != pr {
		return
	}
	pr.pass, pr.under, pr.waits = nil, false, false
	if k.anybody() && k.reason != "" && time.Now().Before(pr.until) && !k.closed {
		k.notify()
		return
	}
	k.dropProbe()
}

// dropProbe gives the probe of this process back. The caller has mu.
func (k *Keeper) dropProbe() {
	k.results = append(k.results, result{ask: probeBack, pass: k.probe.name})
	k.probe = nil
	k.poke()
}

// Enter waits until a task of a queue may be taken: while the fleet is held, but
// for the one that has the probe; and after a hold while this process has as many tasks in
// hand as it may have by then. Release the pass once. It fails with ctx's error, and with [ErrClosed].
func (k *Keeper) Enter(ctx context.Context, queue string) (*Pass, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k.closed {
			return nil, ErrClosed
		}
		if p := k.admit(queue); p != nil {
			return p, nil
		}
		k.waiting[queue]++
		changed := k.changed
		if k.reason != "" && k.probe == nil {
			k.poke()
		}
		opening := k.reason == "" && k.known
		k.mu.Unlock()
		wait(ctx, changed, opening)
		k.mu.Lock()
		k.waiting[queue]--
		k.leftover()
	}
}

// wait waits for a change, or while the process opens for a second.
func wait(ctx context.Context, changed <-chan struct{}, opening bool) {
	var grown <-chan time.Time
	if opening {
		timer := time.NewTimer(second)
		defer timer.Stop()
		grown = timer.C
	}
	select {
	case <-changed:
	case <-grown:
	case <-ctx.Done():
	}
}

// admit gives a pass, or nil. The caller has mu.
func (k *Keeper) admit(name string) *Pass {
	now := time.Now()
	switch {
	case !k.known:
		return nil
	case k.reason == "":
		if k.cooled(now) {
			k.window, k.opened = cold, now // nobody knows how the API is by now
		}
		if k.window > 0 && k.inside[name] >= k.width(now) {
			return nil
		}
		k.inside[name]++
		return &Pass{keeper: k, queue: name}
	case k.probe == nil || k.probe.pass != nil || !now.Before(k.probe.until) || !k.first(name):
		return nil
	}
	k.inside[name]++
	p := &Pass{keeper: k, queue: name, probes: true, any: k.probe.turn/len(queue.Names)%2 == 1, probe: k.probe}
	k.probe.pass = p
	return p
}

// width is how many tasks of a queue may be in hand: one more for each answer, and where answers
// take long, twice as many each second after the first one while nothing fails. Each queue has its own: tasks that wait for
// permits must not keep others away. The caller has mu.
func (k *Keeper) width(now time.Time) int {
	if k.row > 0 || k.answered.Before(k.opened) {
		return k.window
	}
	return max(k.window, 1<<min(now.Sub(k.opened)/second, 10))
}

// cooled tells whether more tasks may be in hand than what is known of the API speaks for. The caller has mu.
func (k *Keeper) cooled(now time.Time) bool {
	return k.attempts == 0 && k.hands() == 0 && now.Sub(k.answered) > idle && now.Sub(k.opened) > idle &&
		(k.window == 0 || k.width(now) > cold)
}

// hands is how many tasks are in hand. The caller has mu.
func (k *Keeper) hands() int {
	sum := 0
	for _, n := range k.inside {
		sum += n
	}
	return sum
}

// first tells whether nobody waits for a queue that the probe is rather for: the most important one at first, and each in
// turn, as a task that fails may do so whatever the API is like. The caller has mu.
func (k *Keeper) first(name string) bool {
	for i := range queue.Names {
		switch other := queue.Names[(k.probe.turn+i)%len(queue.Names)]; {
		case other == name:
			return true
		case k.waiting[other] > 0:
			return false
		}
	}
	return true
}

// anybody tells whether somebody waits to take a task.
func (k *Keeper) anybody() bool {
	return slices.ContainsFunc(queue.Names, func(name string) bool { return k.waiting[name] > 0 })
}

// leftover gives back a probe that nobody in this process waits for any more. The caller has mu.
func (k *Keeper) leftover() {
	if k.probe != nil && k.probe.pass == nil && !k.anybody() {
		// Whoever was just woken is about to look: it counts as waiting.
		k.poke()
	}
}

// shut begins a hold in this process. The caller has mu.
func (k *Keeper) shut(now time.Time) {
	k.shutAt = now
	held := k.heldError()
	for _, cancel := range k.permits {
		cancel(held)
	}
}
