package permits

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/layerq/layerq/layer"
)

// never is later than everything.
const never = time.Duration(math.MaxInt64)

const (
	batchWants = 256
	batchTells = 512
)

// core decides: who gets which permit, when Redis is told and asked, when it is
// given up. It has no goroutine, no clock and no connection: each method is told
// the time, and step says what to do next. So the simulation runs the same code as the worker.
type core struct {
	set    settings
	me     string
	random func() float64 // in [0, 1)

	waiting waiters
	ready   [classes][]*permit // permits given to this worker for its waiters, by when they begin
	own     own
	bound   bound
	number  uint64 // of the last permit

	tell   tells
	tellBy time.Duration // when the oldest of tell is to be told; never if there is none

	asked   *request      // under way
	askAt   time.Duration // before this, Redis would only say that there is nothing
	left    [classes]int  // how many waiters the last reply left without a permit
	nextAt  time.Duration // when there is a permit for one of them, as far as is known
	sentAt  time.Duration // when Redis was last asked
	heardAt time.Duration // when it last answered
	// countedAt is when this worker last asked to be counted.
	countedAt time.Duration

	last    reply // what Redis last said
	epoch   int64
	workers int // in the fleet, as far as is known

	failure failure
	slow    bool   // the last reply took long
	alone   *alone // the local limiter, while it stands in

	// onAlone is told when the local limiter begins to stand in, and when it ends.
	onAlone func(begins bool, after time.Duration)
}

func newCore(set settings, me string, random func() float64) *core {
	return &core{
		set: set, me: me, random: random, tellBy: never,
		sentAt: -beat, countedAt: -beat, // say hello at once: the fleet counts its workers
		onAlone: func(bool, time.Duration) {},
	}
}

// wait lets w wait for its permit. w.give may be called by the next step.
func (c *core) wait(w *waiter) {
	c.waiting.add(w)
	switch {
	case c.left == [classes]int{}:
		c.askAt = 0
	case w.class() == critical:
		pause := c.gap()
		if c.left[critical] > 0 {
			pause *= 4 // the fleet knows already that somebody critical waits here
		}
		c.askAt = min(c.askAt, c.heardAt+pause)
	}
}

// gap is the least time between two requests for permits if the first was left wanting.
func (c *core) gap() time.Duration { return c.set.ahead / 4 }

// cancel ends the waiting of w; a permit that it was given already is given back.
func (c *core) cancel(now time.Duration, w *waiter) {
	switch {
	case w.place != nil:
		c.waiting.remove(w)
		if c.left[critical] > 0 {
			c.tellBy = min(c.tellBy, now+c.set.flush) // others leave permits to w
		}
	case w.permit != nil:
		c.giveBack(now, w.permit)
	}
}

// giveBack frees a permit that was not used.
func (c *core) giveBack(now time.Duration, p *permit) {
	c.own.remove(p)
	if p.begin != 0 {
		c.report(now, fate{number: p.number, unused: true})
	}
}

// release says that the attempt with p is over.
func (c *core) release(now time.Duration, p *permit, answer layer.Answer) {
	if unused(answer) {
		c.giveBack(now, p)
		return
	}
	until := now + c.set.window
	if underWay(answer) {
		until = now + c.set.late + c.set.window
		c.bound.took(now, c.set.late)
	} else {
		c.bound.took(now, now-p.at)
	}
	if !c.own.finish(p, until) {
		until = now
	}
	if p.begin == 0 && c.alone != nil && !c.alone.returning {
		return // Redis learns of it when it is back
	}
	c.report(now, fate{number: p.number, class: p.class, until: until, outcome: outcomeOf(answer), begin: p.begin})
}

func (c *core) report(now time.Duration, f fate) {
	f.stale = now + c.set.life
	c.tell.add(f)
	c.tellBy = min(c.tellBy, now+c.set.flush)
}

// step hands permits to those who wait, and returns a request to send now, if
// any, and when to call step again at the latest. Call it also after each other method.
func (c *core) step(now time.Duration) (*request, time.Duration) {
	c.own.expire(now)
	if c.asked != nil && now-c.asked.sent >= answer {
		c.failed(now, c.asked)
	}
	c.handOut(now)
	c.serveAlone(now)
	if c.asked == nil && c.due() <= now {
		c.asked = c.compose(now)
		return c.asked, c.wake(now)
	}
	return nil, c.wake(now)
}

// due is when the next request should be sent.
func (c *core) due() time.Duration {
	if c.alone != nil && !c.alone.returning {
		return c.alone.probeAt
	}
	at := min(c.tellBy, c.sentAt+beat)
	if c.alone != nil {
		at = 0
	} else if c.wants() != [classes]int{} {
		at = min(at, c.askAt)
	}
	return max(at, c.failure.retryAt)
}

// wake is when something happens by itself.
func (c *core) wake(now time.Duration) time.Duration {
	at := c.wakeAlone(now)
	for _, ready := range c.ready {
		if len(ready) > 0 {
			at = min(at, ready[0].at)
		}
	}
	if c.asked != nil {
		return min(at, c.asked.sent+answer)
	}
	return min(at, c.due())
}

func (c *core) wants() (want [classes]int) {
	for of := range classes {
		want[of] = max(0, min(batchWants, c.waiting.len(of)-len(c.ready[of])))
	}
	return want
}

// compose makes the next request.
func (c *core) compose(now time.Duration) *request {
	req := &request{
		worker: c.me, set: c.set, lease: c.lease(now), known: c.workers, epoch: c.epoch, held: c.own.len(), first: c.number + 1, sent: now,
	}
	switch {
	case c.alone == nil:
		req.want = c.wants()
		c.number += uint64(req.want[critical] + req.want[others])
		if c.slow || c.failure.failing && now-c.failure.since >= doubt {
			req.news = away
		}
	case !c.alone.returning:
		req.news = away
	}
	if req.news != noNews || now-c.countedAt >= beat/3 {
		req.count, c.countedAt = true, now
		c.renew(now)
	}
	if c.alone == nil || c.alone.returning {
		req.tell = c.tell.take(batchTells)
	}
	if c.tell.len() == 0 {
		c.tellBy = never
	}
	c.sentAt = now
	return req
}

// lease is for how long a permit is taken from now on if nothing more is heard of its worker.
func (c *core) lease(now time.Duration) time.Duration {
	return min(c.bound.at(now, c.set.late)+slack+c.set.window, c.set.life)
}

// renew tells Redis of calls that go on, for as long as an attempt may.
func (c *core) renew(now time.Duration) {
	if c.alone != nil {
		return // all is told on the return
	}
	until := now + c.lease(now)
	for _, p := range c.own.renew(now-beat/2, now) {
		c.report(now, fate{number: p.number, class: p.class, until: min(p.until, until)})
	}
}

// leave makes the last request of this worker; it is to be repeated while there is more to tell.
func (c *core) leave(now time.Duration) *request {
	if c.alone != nil {
		c.tellAll(now)
		c.alone = nil
	}
	for of := range classes {
		c.trim(now, of, 0)
	}
	req := c.compose(now)
	req.news, req.want = leave, [classes]int{}
	return req
}

// replied takes what Redis answered. It may come long after the request was given up.
func (c *core) replied(now time.Duration, req *request, r reply) {
	given := c.permits(now, req, r)
	if req != c.asked {
		for _, p := range given {
			c.report(now, fate{number: p.number, unused: true})
		}
		return
	}
	c.asked, c.failure, c.heardAt = nil, failure{}, now
	if r.taken < 0 {
		r.taken = c.last.taken
	}
	c.last, c.workers = r, r.workers
	// While this request waited, others may have given Redis up: only the share is safe.
	c.slow = now-req.sent >= doubt
	for _, p := range given {
		c.own.add(p)
		if c.slow && c.own.len() > c.share() {
			c.giveBack(now, p)
			continue
		}
		c.ready[p.class] = append(c.ready[p.class], p)
	}
	for of := range classes {
		slices.SortStableFunc(c.ready[of], func(a, b *permit) int { return cmp.Compare(a.at, b.at) })
		c.left[of] = req.want[of] - len(r.begin[of])
	}
	c.schedule(now, r)
	known := c.epoch == r.epoch || c.epoch == 0
	c.epoch = r.epoch
	switch {
	case c.alone != nil:
		c.returned(now)
	case !known:
		c.tellAll(now)
	}
}

// schedule decides when to ask for more permits.
func (c *core) schedule(now time.Duration, r reply) {
	c.askAt = now
	if c.left == [classes]int{} {
		return
	}
	// Workers that were told the same time do not ask at the same time: each is the
	// first now and then, and the more they are the more rarely each asks.
	spread := float64(c.set.ahead) * max(0.5, float64(1+r.rivals)/4)
	wait := time.Duration(r.wait)*time.Microsecond + time.Duration(c.random()*spread)
	if c.wants()[critical] > c.left[critical] {
		wait = 0 // came meanwhile
	}
	c.askAt = now + max(c.gap(), min(wait, c.set.nap))
	c.nextAt = now + time.Duration(r.wait)*time.Microsecond
}

// permits makes permits of what Redis gave.
func (c *core) permits(now time.Duration, req *request, r reply) []*permit {
	var given []*permit
	number := req.first
	for of := range classes {
		for _, µs := range r.begin[of] {
			begin := time.Duration(µs) * time.Microsecond
			given = append(given, &permit{
				number: number, class: of, begin: r.now + µs, index: -1,
				// The script ran between the request and now: what is later for one bound is earlier for the other.
				at: now + begin, by: req.sent + begin + slack/2, until: now + begin + req.lease,
				renewed: req.sent,
			})
			number++
		}
	}
	return given
}

// tellAll tells Redis again of every permit that is not over.
func (c *core) tellAll(now time.Duration) {
	for _, p := range c.own.heap {
		c.report(now, fate{number: p.number, class: p.class, until: min(p.until, now+c.lease(now))})
	}
	if c.tell.len() > 0 {
		c.tellBy = now
	}
}

// handOut gives what has begun to those who wait, critical first, and gives back what nobody waits for.
func (c *core) handOut(now time.Duration) {
	for of := range classes {
		c.ready[of] = slices.DeleteFunc(c.ready[of], func(p *permit) bool {
			stale := now > p.by // this process stood still: the permit could be over before the call is
			if stale {
				c.giveBack(now, p)
			}
			return stale
		})
	}
	for c.serve(now, critical, critical) || c.serve(now, critical, others) || c.serve(now, others, others) {
	}
	c.trim(now, critical, c.waiting.len(critical))
	c.trim(now, others, c.waiting.len(others)+c.waiting.len(critical)-len(c.ready[critical]))
}

// serve gives a permit of a class that has begun to a waiter.
func (c *core) serve(now time.Duration, to, of class) bool {
	w := c.waiting.first(to)
	if w == nil || len(c.ready[of]) == 0 || c.ready[of][0].at > now {
		return false
	}
	c.hand(now, w, c.ready[of][0])
	c.ready[of] = c.ready[of][1:]
	return true
}

func (c *core) hand(now time.Duration, w *waiter, p *permit) {
	c.waiting.remove(w)
	c.own.use(p, now+c.set.life)
	w.permit = p
	w.give(p)
}

// trim keeps at most n of the permits that are ready.
func (c *core) trim(now time.Duration, of class, n int) {
	for len(c.ready[of]) > n {
		last := len(c.ready[of]) - 1
		c.giveBack(now, c.ready[of][last])
		c.ready[of] = c.ready[of][:last]
	}
}
