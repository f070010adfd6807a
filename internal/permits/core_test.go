package permits

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// coreBench is a core with a Redis that the test answers for.
type coreBench struct {
	core  *core
	model *model
	now   time.Duration
	sent  []*request // not answered yet
	using []*permit
	wait  []*waiter
	begin map[uint64]int64 // of the permits that were given
}

func newCoreBench(options Options) *coreBench {
	return &coreBench{
		core: newCore(options.settings(), "me", func() float64 { return 0.5 }), model: newModel(), now: time.Second,
		begin: make(map[uint64]int64),
	}
}

func (b *coreBench) step() {
	if req, _ := b.core.step(b.now); req != nil {
		b.sent = append(b.sent, req)
	}
}

// answer answers the oldest request.
func (b *coreBench) answer() {
	if len(b.sent) == 0 {
		return
	}
	req := b.sent[0]
	b.sent = b.sent[1:]
	r := b.model.exchange(b.clock(), req)
	for _, p := range b.core.permits(b.now, req, r) {
		b.begin[p.number] = p.begin
	}
	b.core.replied(b.now, req, r)
	b.step()
}

func (b *coreBench) want(name string) {
	w := &waiter{queue: name}
	w.give = func(p *permit) { b.using = append(b.using, p) }
	b.wait = append(b.wait, w)
	b.core.wait(w)
	b.step()
}

// clock is Redis' clock.
func (b *coreBench) clock() int64 { return 1_700_000_000*second + b.now.Microseconds() }

// taken is how many permits have begun and are not over.
func (b *coreBench) taken() (n int) {
	for _, p := range b.model.held.order {
		if p.score > b.clock() && b.begin[p.member.number] <= b.clock() {
			n++
		}
	}
	return n
}

// settle lets time pass until all that is to be told has been told.
func (b *coreBench) settle() {
	for range 200 {
		b.now += 10 * time.Millisecond
		b.step()
		b.answer()
	}
}

// Whatever is asked for, given up, used and given back in whatever order: in the
// end Redis knows of every permit what became of it. None is lost until it dies of age.
func TestNoPermitIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := newCoreBench(Options{
			Limit:           Limit{rapid.IntRange(1, 10).Draw(t, "limit"), 500 * time.Millisecond},
			CriticalReserve: rapid.SampledFrom([]int{0, 30}).Draw(t, "reserve"),
		})
		pick := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, what) }
		t.Repeat(map[string]func(*rapid.T){
			"want":   func(t *rapid.T) { b.want(rapid.SampledFrom(queue.Names).Draw(t, "queue")) },
			"answer": func(*rapid.T) { b.answer() },
			"pass": func(t *rapid.T) {
				b.now += time.Duration(rapid.IntRange(0, 700).Draw(t, "ms")) * time.Millisecond
				b.step()
			},
			"give up": func(*rapid.T) {
				if len(b.wait) > 0 {
					i := pick("who", len(b.wait))
					if w := b.wait[i]; w.permit == nil {
						b.core.cancel(b.now, w)
						b.wait = append(b.wait[:i], b.wait[i+1:]...)
						b.step()
					}
				}
			},
			"release": func(*rapid.T) {
				if len(b.using) > 0 {
					i := pick("which", len(b.using))
					b.core.release(b.now, b.using[i], layer.Answer{Status: 200})
					b.using = append(b.using[:i], b.using[i+1:]...)
					b.step()
				}
			},
			"": func(t *rapid.T) {
				if got, most := b.taken(), b.core.set.limit; got > most && b.core.alone == nil {
					t.Fatalf("%d permits are taken, want at most %d", got, most)
				}
			},
		})
		for _, w := range b.wait {
			if w.permit == nil {
				b.core.cancel(b.now, w)
			}
		}
		for _, p := range b.using {
			b.core.release(b.now, p, layer.Answer{Status: 200})
		}
		b.settle()
		if left := b.taken(); left != 0 || b.core.own.len() != 0 {
			t.Fatalf("%d permits are still taken in Redis and %d in the worker, want none", left, b.core.own.len())
		}
		if len(b.model.waiting) != 0 {
			t.Fatalf("the fleet still believes that somebody waits: %v", b.model.waiting)
		}
	})
}

// A process that stood still does not use a permit that may be over: it takes a new one.
func TestOldPermitIsNotUsed(t *testing.T) {
	t.Parallel()
	b := newCoreBench(Options{Limit: Limit{1, 10 * time.Second}})
	b.step()
	b.answer()
	b.want(queue.Default)
	req := b.sent[0]
	answer := b.model.exchange(b.clock(), req)
	b.sent = nil
	b.now += answer0
	b.core.replied(b.now, req, answer)
	b.now += slack
	b.step()
	if len(b.using) != 0 {
		t.Fatal("a permit was used a second after it was given")
	}
	b.settle()
	if len(b.using) != 1 || b.using[0].number == req.first {
		t.Errorf("used %v, want one permit that was taken later", b.using)
	}
}

// A permit with which no attempt was made is free again at once.
func TestNoAttempt(t *testing.T) {
	t.Parallel()
	b := newCoreBench(Options{Limit: Limit{1, time.Hour}})
	b.want(queue.Default)
	b.answer()
	b.core.release(b.now, b.using[0], layer.Answer{Err: layer.ErrNoAttempt})
	b.settle()
	if left := b.taken(); left != 0 || b.core.own.len() != 0 {
		t.Errorf("%d permits are still taken in Redis and %d in the worker, want none", left, b.core.own.len())
	}
}

// answer0 is a time that Redis may take to answer without being given up.
const answer0 = 100 * time.Millisecond

func TestHoldTime(t *testing.T) {
	t.Parallel()
	options := Options{Limit: Limit{1, time.Minute}, AttemptTimeout: 7 * time.Second}
	const window = time.Minute + 60*time.Millisecond
	for name, c := range map[string]struct {
		answer layer.Answer
		want   time.Duration
	}{
		"answered":             {layer.Answer{Status: 201}, window},
		"refused":              {layer.Answer{Status: 429}, window},
		"failed":               {layer.Answer{Status: 503}, window},
		"answered with rubble": {layer.Answer{Status: 200, Err: &layer.TransportError{Kind: layer.KindBody}}, window},
		"never connected":      {layer.Answer{Err: &layer.TransportError{Kind: layer.KindConnect}}, window},
		"no secure connection": {layer.Answer{Err: &layer.TransportError{Kind: layer.KindTLS}}, window},
		"timed out":            {layer.Answer{Err: &layer.TransportError{Kind: layer.KindTimeout}}, 7*time.Second + window},
		"cut":                  {layer.Answer{Err: &layer.TransportError{Kind: layer.KindCut}}, 7*time.Second + window},
		"given up":             {layer.Answer{Err: &layer.TransportError{Kind: layer.KindCanceled}}, 7*time.Second + window},
		"not known":            {layer.Answer{}, 7*time.Second + window},
	} {
		b := newCoreBench(options)
		b.want(queue.Default)
		b.answer()
		b.core.release(b.now, b.using[0], c.answer)
		if got := b.using[0].until - b.now; got != c.want {
			t.Errorf("%s: the permit is held for %s, want %s", name, got, c.want)
		}
	}
}

// An upload takes longer than an attempt may: its request arrived long before its
// answer, so its permit is others' again meanwhile.
func TestLongUpload(t *testing.T) {
	t.Parallel()
	b := newCoreBench(Options{Limit: Limit{1, time.Second}, AttemptTimeout: time.Second})
	b.want(queue.Default)
	b.answer()
	upload := b.using[0]
	for b.now < 5*time.Second {
		if b.now < 2*time.Second && b.taken() != 1 {
			t.Fatalf("its permit is free after %s", b.now)
		}
		b.now += 100 * time.Millisecond
		b.step()
		b.answer()
	}
	b.want(queue.Default)
	b.answer()
	if len(b.using) != 2 {
		t.Fatal("nobody gets its permit")
	}
	b.core.release(b.now, upload, layer.Answer{Status: 201})
	b.core.release(b.now, b.using[1], layer.Answer{Status: 201})
	b.settle()
	if left := b.taken(); left != 0 || b.core.own.len() != 0 {
		t.Errorf("%d permits are still taken in Redis and %d in the worker, want none", left, b.core.own.len())
	}
}
