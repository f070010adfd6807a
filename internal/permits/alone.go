package permits

import "time"

// failure is a row of requests that Redis did not answer.
type failure struct {
	since   time.Duration // when the first was sent
	failing bool
	// kept is how many permits this worker had when it learned that Redis is gone:
	// since then Redis gives them to nobody, so they stay this worker's.
	kept    int
	at      time.Duration // when that was
	retryAt time.Duration
}

// alone is the local limiter that stands in while Redis is gone.
//
// When Redis stops, every permit is either free or some worker's. Each worker goes on
// with those that it has, up to its share of the limit: the law holds on, since no
// permit has two owners. When all that was taken before is over for certain, every worker
// has its share, whatever it had. If Redis is gone for some workers only, the others
// may use the whole limit beside them: docs/limits.md.
type alone struct {
	began   time.Duration
	kept    int
	growAt  time.Duration // from here on the share counts
	probeAt time.Duration // when Redis is asked again
	share   int
	// returning: Redis is back, and is being told of the permits taken meanwhile.
	returning bool
}

// failed takes that Redis did not answer a request, or not in time.
func (c *core) failed(now time.Duration, req *request) {
	if req != c.asked {
		return
	}
	c.asked = nil
	c.tell.restore(req.tell, now)
	for i := range req.want[critical] + req.want[others] {
		// Redis may have given them, and only the answer is lost.
		c.report(now, fate{number: req.first + uint64(i), unused: true})
	}
	c.tellBy = never
	if c.tell.len() > 0 {
		c.tellBy = now
	}
	if !c.failure.failing {
		c.own.expire(now)
		c.failure = failure{since: req.sent, failing: true, kept: c.own.len(), at: now}
	}
	c.failure.retryAt = now + retry
	switch {
	case c.alone != nil && !c.alone.returning:
		c.alone.probeAt = now + probe
	case now-c.failure.since >= patience:
		c.standIn(now)
	}
}

func (c *core) standIn(now time.Duration) {
	began := c.failure.since
	if c.alone == nil {
		c.onAlone(true, now-began)
	} else {
		began = c.alone.began
	}
	a := &alone{
		began: began, kept: c.failure.kept,
		growAt:  c.failure.at + c.lease(now),
		probeAt: now + probe, share: c.share(),
	}
	if a.share == 0 {
		// Fewer permits than workers: only who has one goes on, without any growth.
		a.share = min(1, a.kept)
	}
	c.alone = a
	c.left = [classes]int{}
}

// share is what of the limit is this worker's, as far as is known.
func (c *core) share() int {
	if c.last.limit == 0 {
		return 1 // Redis never answered: there may be any number of workers
	}
	return c.last.limit / max(1, c.workers)
}

// allowed is how many permits this worker may have without Redis.
func (c *core) allowed(now time.Duration) int {
	if now < c.alone.growAt {
		return min(c.alone.share, c.alone.kept)
	}
	return c.alone.share
}

// serveAlone gives permits without Redis.
func (c *core) serveAlone(now time.Duration) {
	if c.alone == nil || c.alone.returning {
		return
	}
	allowed := c.allowed(now)
	for c.own.len() < allowed {
		w := c.waiting.first(critical)
		if w == nil && c.own.others < c.set.othersOf(allowed) {
			w = c.waiting.first(others)
		}
		if w == nil {
			return
		}
		c.number++
		p := &permit{number: c.number, class: w.class(), at: now, by: never, index: -1}
		c.own.add(p)
		c.hand(now, w, p)
	}
}

func (c *core) wakeAlone(now time.Duration) time.Duration {
	if c.alone == nil {
		return never
	}
	at := c.own.next()
	if c.alone.growAt > now {
		at = min(at, c.alone.growAt)
	}
	return at
}

// returned takes that Redis answered again: what was taken without it is told first.
func (c *core) returned(now time.Duration) {
	switch {
	case !c.alone.returning:
		c.alone.returning = true
		c.tellAll(now)
	case c.tell.len() == 0:
		c.onAlone(false, now-c.alone.began)
		c.alone = nil
		c.askAt = now
	}
}
