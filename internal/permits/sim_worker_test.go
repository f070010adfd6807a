package permits

import (
	"strconv"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// simRedis is Redis with the ways to it.
type simRedis struct {
	s     *sim
	model *model
	epoch int64   // of the clock
	drift float64 // of the clock
	gone  []outage
	calls int // scripts run

	script bool // the script is known
}

// restart loses what was written after saved.
func (r *simRedis) restart(saved *model) { r.model, r.script = saved, false }

// outage is a time in which Redis does not answer: it refuses connections, or hangs.
type outage struct {
	span
	refuses bool
	of      *link // for whom; nil for everybody
}

func (r *simRedis) clock() int64 {
	return r.epoch + int64(float64(r.s.now.Microseconds())*(1+r.drift))
}

// exchange runs the script over a link.
func (r *simRedis) exchange(l *link, req *request, done func(reply, bool)) {
	arrive := l.delay()
	for _, o := range r.gone {
		at := r.s.now + arrive
		if at < o.from || at >= o.to {
			continue
		}
		if o.of != nil && o.of != l {
			continue
		}
		if o.refuses {
			l.send(func() { l.send(func() { done(reply{}, false) }) })
			return
		}
		arrive = o.to - r.s.now
	}
	r.s.after(arrive, func() {
		r.calls++
		if !r.script {
			r.script = true
			copied := *req
			req = &copied
			req.news = lost
		}
		rep := r.model.exchange(r.clock(), req)
		l.send(func() { done(rep, true) })
	})
}

// simWorker is one process: the core, its clock, its tasks.
type simWorker struct {
	s     *sim
	name  string
	core  *core
	redis *simRedis
	way   *link // to Redis
	out   *link // to the server
	api   *server
	fault faults
	rest  func() time.Duration // between two calls of a task

	born  time.Duration
	drift float64
	alarm *event
	dead  bool
	done  int // calls answered
	waits map[string][]time.Duration
	doing map[string]int // calls by queue
}

func (w *simWorker) now() time.Duration {
	return time.Duration(float64(w.s.now-w.born) * (1 + w.drift))
}

// drive takes a step of the core, as Limiter does.
func (w *simWorker) drive() {
	if w.dead {
		return
	}
	req, at := w.core.step(w.now())
	if req != nil {
		w.redis.exchange(w.way, req, func(r reply, ok bool) {
			if w.dead {
				return
			}
			if ok {
				w.core.replied(w.now(), req, r)
			} else {
				w.core.failed(w.now(), req)
			}
			w.drive()
		})
	}
	w.s.drop(w.alarm)
	w.alarm = nil
	if at < never {
		wait := time.Duration(float64(at-w.now())/(1+w.drift)) + 1
		w.alarm = w.s.after(wait, w.drive)
	}
}

// task makes calls for ever.
func (w *simWorker) task(name string) {
	if w.dead {
		return
	}
	began := w.s.now
	w.core.wait(&waiter{queue: name, give: func(p *permit) {
		w.waits[name] = append(w.waits[name], w.s.now-began)
		w.doing[name]++
		w.api.call(w.out, w.fault, w.core.bound.at(w.now(), w.core.set.late), func() bool { return !w.dead }, func(a layer.Answer) {
			if w.dead {
				return
			}
			w.done++
			w.core.release(w.now(), p, a)
			w.drive()
			w.s.after(w.rest(), func() { w.task(name) })
		})
	}})
	w.drive()
}

// world is a fleet before one server.
type world struct {
	*sim
	redis   *simRedis
	api     *server
	fault   faults
	set     settings
	rest    func() time.Duration
	newWay  func() *link
	newOut  func() *link
	workers []*simWorker
	names   int
	drift   float64
}

func newWorld(seed uint64, options Options) *world {
	s := newSim(seed)
	set := options.settings()
	per := options.Limit.Per
	if options.Auto {
		per = autoWindow
	}
	w := &world{
		sim: s, set: set,
		redis: &simRedis{s: s, model: newModel(), epoch: 1_700_000_000 * second},
		api: &server{
			s: s, per: per, limit: func(time.Duration) int { return options.Limit.N },
			work: func() time.Duration { return time.Millisecond },
		},
		fault: faults{timeout: set.late},
		rest:  func() time.Duration { return 0 },
	}
	w.newWay = func() *link { return &link{s: s, low: 100 * time.Microsecond, high: 300 * time.Microsecond} }
	w.newOut = func() *link { return &link{s: s, low: time.Millisecond, high: 2 * time.Millisecond} }
	return w
}

// start adds a worker with tasks by queue.
func (w *world) start(tasks map[string]int) *simWorker {
	w.names++
	worker := &simWorker{
		s: w.sim, name: strconv.Itoa(w.names), redis: w.redis, way: w.newWay(), out: w.newOut(), api: w.api,
		fault: w.fault, rest: w.rest, born: w.now, drift: (w.rnd.Float64()*2 - 1) * w.drift,
		waits: make(map[string][]time.Duration), doing: make(map[string]int),
	}
	worker.core = newCore(w.set, worker.name, w.rnd.Float64)
	w.workers = append(w.workers, worker)
	worker.drive()
	for _, name := range queue.Names {
		for range tasks[name] {
			worker.task(name)
		}
	}
	return worker
}

func (w *simWorker) kill() { w.dead = true; w.s.drop(w.alarm) }
