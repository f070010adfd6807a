package permits

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// model is the script in Go: what the simulation asks in the place of Redis.
// TestModelIsTheScript holds the two together.
type model struct {
	held, others zset
	waiting      map[string]claim
	workers      map[string]int64
	epoch        int64
	closed       int64
	settle       int64
	fleet        int
	finding      *finding
}

type claim struct {
	till int64
	n    [classes]int
}

const second = int64(time.Second / time.Microsecond)

func newModel() *model {
	return &model{waiting: make(map[string]claim), workers: make(map[string]int64)}
}

// clone is what an append-only file would bring back.
func (m *model) clone() *model {
	c := *m
	c.held, c.others = m.held.clone(), m.others.clone()
	c.waiting, c.workers = maps.Clone(m.waiting), maps.Clone(m.workers)
	if m.finding != nil {
		f := *m.finding
		c.finding = &f
	}
	return &c
}

func (m *model) exchange(now int64, req *request) reply {
	fleet := m.hello(now, req)
	ok, no := m.told(now, req)
	yield := req.set.yield.Microseconds()
	taken := -1
	if req.count {
		m.held.expire(now - yield)
		m.others.expire(now - yield)
		taken = m.held.above(now)
	}
	limit, window := req.set.limit, req.set.window.Microseconds()
	if limit == 0 {
		if m.finding == nil {
			m.finding = &finding{low: findStart, seen: now}
		}
		limit = m.finding.limit(now, window, ok, no)
	}
	elsewhere, rivals := m.claims(now, req.worker)

	t := &taking{m: m, now: now, req: req, most: m.bound(now, req, limit, fleet)}
	within, delay := req.set.ahead.Microseconds(), -req.set.ahead.Microseconds()
	if sum := elsewhere[critical] + elsewhere[others]; sum > 0 {
		want := req.want[critical] + req.want[others]
		share := (limit*want + want + sum - 1) / (want + sum)
		if req.held > share+share/8+1 {
			within, delay = -yield, yield
		}
	}
	t.number = req.first
	t.take(critical, req.set.ahead.Microseconds(), -req.set.ahead.Microseconds(), limit, limit)
	t.take(others, within, delay, limit-elsewhere[critical]-len(t.begin[critical]), req.set.othersOf(limit))

	for _, g := range t.given {
		m.held.add(g.member, g.score)
		if g.class == others && req.set.reserve > 0 {
			m.others.add(g.member, g.score)
		}
	}
	r := reply{
		now: now, limit: limit, workers: fleet, epoch: m.epoch, wait: t.again, begin: t.begin,
		taken: taken, rivals: rivals,
	}
	left := [classes]int{req.want[critical] - len(t.begin[critical]), req.want[others] - len(t.begin[others])}
	for of := range classes {
		r.waiting[of] = elsewhere[of] + left[of]
	}
	delete(m.waiting, req.worker)
	if left != [classes]int{} && req.news != leave {
		m.waiting[req.worker] = claim{now + 2*second, left}
	}
	if left != [classes]int{} && req.set.limit == 0 {
		m.finding.busy = now + window
	}
	return r
}

func (m *model) hello(now int64, req *request) (fleet int) {
	fleet = req.known
	if req.news == leave {
		delete(m.workers, req.worker)
	} else if req.count {
		m.workers[req.worker] = now
		maps.DeleteFunc(m.workers, func(_ string, heard int64) bool { return heard <= now-15*second })
		fleet = len(m.workers)
	}
	news := req.news
	just := m.epoch != 0 && now-m.epoch < second
	forgot := req.epoch != 0 && m.epoch == 0 || news == lost && m.epoch != 0 && !just
	if forgot || news == away {
		before := 0
		if m.settle > now {
			before = m.fleet
		}
		m.settle, m.fleet = now+3*second, max(1, fleet, req.known, before)
		if forgot {
			m.epoch, m.closed = 0, m.settle
		}
	}
	if m.epoch == 0 {
		m.epoch = now
	}
	return fleet
}

func (m *model) told(now int64, req *request) (ok, no []int64) {
	for _, f := range req.tell {
		if id := (member{req.worker, f.number}); f.left(req.sent) <= 0 {
			m.held.remove(id)
			m.others.remove(id)
		}
	}
	for _, f := range req.tell {
		id := member{req.worker, f.number}
		if left := f.left(req.sent); left > 0 {
			m.held.add(id, now+left)
			if f.class == others && req.set.reserve > 0 {
				m.others.add(id, now+left)
			}
		}
		switch f.outcome {
		case accepted:
			ok = append(ok, f.begin)
		case refused:
			no = append(no, f.begin)
		case unknown:
		}
	}
	return ok, no
}

func (m *model) claims(now int64, me string) (elsewhere [classes]int, rivals int) {
	for worker, c := range m.waiting {
		switch {
		case worker == me:
		case c.till < now:
			delete(m.waiting, worker)
		default:
			rivals++
			for of := range classes {
				elsewhere[of] += c.n[of]
			}
		}
	}
	return elsewhere, rivals
}

func (m *model) bound(now int64, req *request, limit, fleet int) int {
	switch {
	case m.closed > now:
		return 0
	case m.settle > now:
		return limit/max(fleet, m.fleet) - req.held
	}
	return limit
}

type taking struct {
	m      *model
	now    int64
	req    *request
	number uint64
	most   int
	again  int64
	begin  [classes][]int64
	given  []given
}

// given are put into the sets when all are.
type given struct {
	class class
	scored
}

func (t *taking) later(wait int64) {
	if t.again == 0 || wait < t.again {
		t.again = max(1, wait)
	}
}

func (t *taking) take(of class, within, wait int64, room, forOthers int) {
	life, lease := t.req.set.life.Microseconds(), t.req.lease.Microseconds()
	for len(t.begin[of]) < t.req.want[of] {
		n := len(t.begin[of])
		begin := t.m.held.begins(t.now, life, room-n)
		if of == others && t.req.set.reserve > 0 {
			begin = max(begin, t.m.others.begins(t.now, life, forOthers-n))
		}
		if t.most < 1 {
			t.later(min(max(t.m.closed, t.m.settle)-t.now, second/4))
			return
		}
		if begin > within {
			t.later(begin + wait)
			return
		}
		begin = max(0, begin)
		id := member{t.req.worker, t.number}
		t.given = append(t.given, given{of, scored{t.now + begin + lease, id}})
		t.begin[of] = append(t.begin[of], begin)
		t.number++
		t.most--
	}
}

// zset is a sorted set.
type zset struct {
	order []scored
	score map[member]int64
}

type member struct {
	worker string
	number uint64
}

type scored struct {
	score  int64
	member member
}

func compare(a, b scored) int {
	if c := cmp.Compare(a.score, b.score); c != 0 {
		return c
	}
	if c := cmp.Compare(a.member.number, b.member.number); c != 0 {
		return c
	}
	return cmp.Compare(a.member.worker, b.member.worker)
}

func (z *zset) clone() zset { return zset{slices.Clone(z.order), maps.Clone(z.score)} }

func (z *zset) add(m member, score int64) {
	z.remove(m)
	if z.score == nil {
		z.score = make(map[member]int64)
	}
	z.score[m] = score
	i, _ := slices.BinarySearchFunc(z.order, scored{score, m}, compare)
	z.order = slices.Insert(z.order, i, scored{score, m})
}

func (z *zset) remove(m member) {
	score, there := z.score[m]
	if !there {
		return
	}
	i, _ := slices.BinarySearchFunc(z.order, scored{score, m}, compare)
	z.order = slices.Delete(z.order, i, i+1)
	delete(z.score, m)
}

func (z *zset) expire(until int64) {
	n := 0
	for n < len(z.order) && n < 5000 && z.order[n].score <= until {
		delete(z.score, z.order[n].member)
		n++
	}
	z.order = slices.Delete(z.order, 0, n)
}

func (z *zset) above(now int64) int {
	i, _ := slices.BinarySearchFunc(z.order, scored{now, member{"", math.MaxUint64}}, compare)
	return len(z.order) - i
}

func (z *zset) begins(now, life int64, most int) int64 {
	switch {
	case most < 1:
		return life
	case len(z.order) < most:
		return -life
	}
	return z.order[len(z.order)-most].score - now
}

// finding is find.lua.
type finding struct {
	low, top, used  float64
	seen, busy, cut int64
	ok, no          float64
}

const (
	findStart  = 10
	findDouble = 5
	findKeep   = 0.93
	findLinger = 12
	findBeyond = 1.1
	findMost   = 1000000
)

func (f *finding) after() float64 {
	if f.top == 0 {
		return min(findMost, f.low*math.Pow(2, f.used/findDouble))
	}
	rise := (f.used - findLinger) / findLinger
	return max(1, min(findMost, f.top+max(f.top-f.low, 0.25)*rise*rise*rise))
}

func (f *finding) limit(now, window int64, ok, no []int64) int {
	if counted := min(now, f.busy); counted > f.seen {
		f.used += float64(counted-f.seen) / float64(window)
	}
	f.seen = now
	limit := f.after()
	for _, began := range ok {
		if began >= f.cut+window {
			f.ok++
		}
	}
	for _, began := range no {
		if began >= f.cut+window {
			f.no++
		}
	}
	if f.no > 0 && now-f.cut >= 2*window {
		f.top = max(1, limit*max(f.ok, f.no/3)/(f.ok+f.no))
		f.low, f.used, f.cut, f.ok, f.no = max(1, f.top*findKeep), 0, now, 0, 0
		limit = f.after()
	} else if f.top > 0 && limit > f.top*findBeyond {
		f.low, f.top, f.used = limit, 0, 0
	}
	return int(limit)
}
