package holds

import (
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

func accepts(token string, refusal layer.Answer) func(call) layer.Answer {
	return func(c call) layer.Answer {
		if c.token == token {
			return sent
		}
		return refusal
	}
}

func (w *world) held(s *simWorker) int {
	infos, err := queue.NewStore(s.rdb).Queues(w.Context())
	if err != nil {
		w.Error(err)
	}
	n := 0
	for _, info := range infos {
		if info.Held != nil {
			n++
		}
	}
	return n
}

func TestTokenChanges(t *testing.T) {
	t.Parallel()
	for _, refusal := range []layer.Answer{
		unknown, {Status: 403, Code: layer.CodeAppSuspended}, {Status: 403, Code: layer.CodeInvalidAppID}, {Status: 302},
	} {
		simulate(t, func(w *world) {
			w.work, w.takes = -1, 100*time.Millisecond
			a, b := w.worker("a", 16, Options{}), w.worker("b", 16, Options{})
			w.sleep(time.Second)
			w.answers(accepts("new", refusal))
			revoked := w.now() + 1
			w.sleep(30 * time.Second)
			if n := w.during(revoked, w.now()); n > 40 {
				t.Errorf("%d calls with a token that is refused", n)
			}
			if w.held(a) != 3 {
				t.Error("the queues do not show it")
			}
			a.setToken("new")
			at := w.now()
			w.sleep(2 * time.Second)
			if n := w.during(at+time.Second, at+2*time.Second); n < 140 {
				t.Errorf("%d calls a second with the new token", n)
			}
			if b.Snapshot().Reason == "" {
				t.Error("the worker with the old token is not held")
			}
			if w.held(a) != 0 {
				t.Error("the queues still show a hold")
			}
			// The one with the old token asks now and then, and keeps nobody else away.
			w.sleep(5 * time.Minute)
			old := 0
			for _, c := range w.made() {
				if c.at > at && c.worker == b {
					old++
				}
			}
			if old > 8 {
				t.Errorf("%d calls with the old token in 5 min", old)
			}
			if n := w.during(w.now()-time.Second, w.now()); n < 150 {
				t.Errorf("%d calls a second", n)
			}
			if w.held(a) != 0 {
				t.Error("the queues show the hold of the old token")
			}
			b.setToken("new")
			at = w.now()
			w.sleep(2 * time.Second)
			if n := w.during(at+time.Second, at+2*time.Second); n < 300 {
				t.Errorf("%d calls a second when all have the new token", n)
			}
		})
	}
}

// A new token that is wrong as well is one more that is refused.
func TestWrongTokenAgain(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		a, b := w.worker("a", 16, Options{}), w.worker("b", 16, Options{})
		w.answers(accepts("right", unknown))
		w.sleep(20 * time.Second)
		at := w.now() + 1
		a.setToken("wrong")
		w.sleep(10 * time.Second)
		if n := w.during(at, w.now()); n > 4 {
			t.Errorf("%d calls", n)
		}
		if w.held(b) != 3 {
			t.Error("the queues do not show it")
		}
		b.setToken("right")
		w.sleep(2 * time.Second)
		if w.finished() < 500 || a.Snapshot().Reason != Credentials {
			t.Errorf("%d tasks done, %+v", w.finished(), a.Snapshot())
		}
	})
}

// A token that works again needs no new one.
func TestTokenWorksAgain(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.worker("a", 16, Options{})
		w.worker("b", 16, Options{})
		w.breaks(unknown)
		w.sleep(10 * time.Minute)
		if n := w.during(5*time.Minute, 10*time.Minute); n < 4 || n > 6 {
			t.Errorf("%d probes in 5 min", n)
		}
		w.answers(always(sent))
		w.sleep(70 * time.Second)
		if n := w.during(w.now()-time.Second, w.now()); n < 3000 {
			t.Errorf("%d calls a second", n)
		}
	})
}

func TestCredentialsTellNothing(t *testing.T) {
	t.Parallel()
	one := Options{App: "app", Token: func() string { return "secret-1" }}
	two := Options{App: "app", Token: func() string { return "secret-2" }}
	if a, b := one.credentials(), two.credentials(); a == b || len(a) != 5 {
		t.Errorf("%q and %q", a, b)
	}
}
