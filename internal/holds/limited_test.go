package holds

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503} {
		simulate(t, func(w *world) {
			w.work = -1
			workers := []*simWorker{w.worker("a", 16, Options{}), w.worker("b", 16, Options{})}
			w.sleep(2 * time.Second)
			first := true
			w.answers(func(call) layer.Answer {
				if first {
					first = false
					return layer.Answer{Status: status, RetryAfter: 30 * time.Second}
				}
				return sent
			})
			at := w.now() + 1
			w.sleep(5 * time.Second)
			for _, s := range workers {
				got := s.Snapshot()
				if left := time.Until(got.Until); got.Reason != RetryAfter || left > 26*time.Second || left < 25*time.Second {
					t.Errorf("held for %s more: %+v", left, got)
				}
			}
			infos, err := queue.NewStore(workers[0].rdb).Queues(w.Context())
			if err != nil {
				t.Error(err)
			}
			for _, info := range infos {
				if info.Paused || info.Held == nil {
					t.Errorf("queue %s does not show the hold: %+v", info.Queue, info)
				}
			}
			// Those under way finish; then there is silence.
			if n := w.during(at+50*time.Millisecond, at+29*time.Second); n != 0 {
				t.Errorf("%d calls while held", n)
			}
			w.sleep(30 * time.Second)
			if n := w.during(at+30*time.Second, at+30*time.Second+29*time.Millisecond); n != 1 {
				t.Errorf("%d calls at first, want one probe", n)
			}
			if n := w.during(at+34*time.Second, at+35*time.Second); n < 2900 {
				t.Errorf("%d calls a second afterwards", n)
			}
			for _, q := range queue.Names {
				if w.redis.Exists(queue.PausedKey(q)) {
					t.Errorf("queue %s is still marked", q)
				}
			}
		})
	}
}

// An API that says the same short time again and again is asked less and less.
func TestRetryAfterAgainAndAgain(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.worker("a", 16, Options{})
		w.worker("b", 16, Options{})
		w.breaks(layer.Answer{Status: 503, RetryAfter: time.Second})
		w.sleep(10 * time.Minute)
		if n := w.during(0, time.Minute); n > 30 {
			t.Errorf("%d calls in the first minute", n)
		}
		for minute := 1; minute < 10; minute++ {
			if n := w.during(time.Duration(minute)*time.Minute, time.Duration(minute+1)*time.Minute); n < 5 || n > 7 {
				t.Errorf("%d calls in minute %d", n, minute)
			}
		}
	})
}

// A 429 without Retry-After is waited for longer and longer, and calls grow again from one.
func TestLimitWithoutRetryAfter(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.worker("a", 8, Options{})
		w.breaks(limited)
		w.sleep(10 * time.Minute)
		last, gap := w.made()[0].at, time.Duration(0)
		for _, c := range w.made()[1:] {
			if c.at-last < 100*time.Millisecond {
				continue
			}
			if g := c.at - last; g < gap*8/10 {
				t.Errorf("a probe after %s, the one before after %s", g, gap)
			}
			last, gap = c.at, c.at-last
		}
		if gap < 54*time.Second || gap > 66*time.Second+w.takes { // a minute, a tenth more or less, and the call
			t.Errorf("at last a probe after %s, want a minute", gap)
		}
	})
}

// 429s among calls that are answered are no reason to wait longer and longer.
func TestLimitAmongAnswers(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		n := 0
		w.answers(func(call) layer.Answer {
			if n++; n%20 == 0 {
				return limited
			}
			return sent
		})
		w.worker("a", 8, Options{})
		w.worker("b", 8, Options{})
		w.sleep(5 * time.Minute)
		// One short hold for every 20 calls, and at times a longer one.
		if len(w.made()) < 12000 {
			t.Errorf("%d calls in 5 minutes", len(w.made()))
		}
		t.Logf("%d calls in 5 minutes", len(w.made()))
	})
}

// While a limiter finds the limit out, single 429s are its own.
func TestLimitThatIsFoundOut(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		n := 0
		w.answers(func(call) layer.Answer {
			if n++; n%20 == 0 {
				return limited
			}
			return sent
		})
		s := w.worker("a", 16, Options{FindsLimit: true})
		w.sleep(10 * time.Second)
		if s.log.count("left alone") != 0 {
			t.Errorf("held\n%s", s.log)
		}
		w.breaks(limited)
		w.sleep(10 * time.Second)
		if s.log.count("left alone") != 1 {
			t.Errorf("nothing but 429s holds nobody\n%s", s.log)
		}
	})
}

// Only one probe of the fleet is under way at any time, and a hold that another task ends
// early does not let everybody in.
func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work, w.takes = -1, 3*time.Second
		var workers []*simWorker
		for range 5 {
			workers = append(workers, w.worker("", 4, Options{}))
		}
		w.breaks(limitedFor(time.Second))
		w.sleep(5 * time.Minute)
		var last time.Duration
		for _, c := range w.made() {
			if c.at > 5*time.Second && c.at < last+3*time.Second {
				t.Errorf("a call at %s while one of %s was under way", c.at, last)
			}
			last = c.at
		}
		if n := len(w.made()); n < 40 { // of 3 s each, and a pause of 10 s at most
			t.Errorf("%d calls in 5 min", n)
		}
		if n := workers[0].log.count("left alone"); n != 1 {
			t.Errorf("%d lines", n)
		}
	})
}

// An API of which every fifth answer is wrong in one way or another still carries out the rest of the calls.
func TestLimitAmongFailures(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		chance := rand.New(rand.NewPCG(1, 2))
		w.answers(func(call) layer.Answer {
			switch p := chance.IntN(100); {
			case p < 5:
				return limited
			case p < 20:
				return layer.Answer{Status: http.StatusServiceUnavailable}
			}
			return sent
		})
		w.worker("a", 8, Options{})
		w.worker("b", 8, Options{})
		w.sleep(5 * time.Minute)
		// A probe that meets a failure of another kind does not prolong the hold for the limit.
		if len(w.made()) < 12000 {
			t.Errorf("%d calls in 5 minutes", len(w.made()))
		}
		t.Logf("%d calls in 5 minutes", len(w.made()))
	})
}
