package holds

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// Redis gets spans of time only: what the clock of a worker says does not matter.
func TestClocksOfWorkersDoNotMatter(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := &store{worker: "me", random: func() float64 { return 0.5 }}
	args := func(skew time.Duration) []any {
		at := func(ago time.Duration) time.Time { return now.Add(skew - ago) }
		return s.args(&request{
			ask: tell, answered: at(time.Second), failures: []time.Time{at(time.Minute), at(time.Millisecond)},
			found: finding{kind: holding, reason: RateLimit}, began: at(2 * time.Second),
		}, at(0))
	}
	if a, b := args(0), args(7*time.Hour); !reflect.DeepEqual(a, b) {
		t.Errorf("got %v\nand %v", a, b)
	}
}

// While all is well nothing is asked: an idle worker and a busy one alike.
func TestNothingIsAskedWhileAllIsWell(t *testing.T) {
	t.Parallel()
	for work, want := range map[int]int{0: 10, -1: 10} {
		simulate(t, func(w *world) {
			w.work = work
			w.worker("a", 16, Options{})
			w.sleep(time.Second)
			before := w.redis.CommandCount()
			w.sleep(10 * time.Second)
			if work == 0 {
				w.sleep(10*time.Minute - 10*time.Second)
			}
			if n := w.redis.CommandCount() - before; n > want {
				t.Errorf("%d commands, with work %v", n, work)
			}
		})
	}
}

// A process begins with some tasks, and doubles with every round of answers.
func TestOpening(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work, w.takes = -1, time.Second
		w.worker("a", 64, Options{})
		w.sleep(4500 * time.Millisecond)
		for second, want := range []int{8, 16, 32, 64} {
			if n := w.during(time.Duration(second)*time.Second, time.Duration(second+1)*time.Second); n != want {
				t.Errorf("%d calls in second %d, want %d", n, second, want)
			}
		}
	})
}

// An API whose answers take long is opened by time.
func TestOpeningOfASlowAPI(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work, w.takes = -1, 9*time.Second
		hold(w, w.worker("b", 0, Options{}), time.Second)
		w.worker("a", 32, Options{})
		w.sleep(25 * time.Second)
		if n := len(w.made()); n < 33 {
			t.Errorf("%d calls within 15 s after the probe", n)
		}
	})
}

// Tasks that wait for permits do not keep those of other queues away.
func TestEachQueueOpensForItself(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		s := w.worker("a", 0, Options{})
		ctx, cancel := context.WithTimeout(w.ctx, 100*time.Millisecond)
		defer cancel()
		for {
			if _, err := s.Enter(ctx, queue.Default); err != nil {
				break
			}
		}
		pass, err := s.Enter(w.ctx, queue.Critical)
		if err != nil {
			w.Fatal(err)
		}
		pass.Release()
	})
}

func TestTheMostImportantQueueProbes(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		s := w.worker("a", 0, Options{})
		hold(w, s, 5*time.Second)
		got := make(chan *Pass)
		for _, name := range []string{queue.Bulk, queue.Default, queue.Critical} {
			w.all.Go(func() {
				pass, err := s.Enter(w.ctx, name)
				if err == nil {
					offer(w, got, pass)
				}
			})
			synctest.Wait()
		}
		for _, want := range []string{queue.Critical, queue.Default, queue.Bulk} {
			pass := <-got
			if pass.queue != want || !pass.Probe() {
				t.Errorf("queue %s, probe %v; want the probe to be %s", pass.queue, pass.Probe(), want)
			}
			synctest.Wait()
			select {
			case other := <-got:
				t.Errorf("queue %s has a pass at the same time", other.queue)
			default:
			}
			pass.Release() // nothing was there
			pass.Release()
		}
	})
}

// offer hands a pass to the test, if that goes on.
func offer(w *world, to chan<- *Pass, pass *Pass) {
	select {
	case to <- pass:
	case <-w.ctx.Done():
	}
}

// What always fails must not be asked again and again: each queue has its turn, and in each at times any of its tasks.
func TestProbesTakeTurns(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		s := w.worker("a", 0, Options{})
		hold(w, s, time.Second)
		ctx, cancel := context.WithCancel(w.ctx)
		got := make(chan *Pass)
		for _, name := range queue.Names {
			w.all.Go(func() {
				for {
					pass, err := s.Enter(ctx, name)
					if err != nil {
						return
					}
					offer(w, got, pass)
				}
			})
		}
		for turn := range 14 {
			pass := <-got
			if want := queue.Names[turn%3]; pass.queue != want || pass.Any() != (turn/3%2 == 1) {
				t.Errorf("probe %d is of queue %s, any %v; want %s, %v", turn, pass.queue, pass.Any(), want, turn/3%2 == 1)
			}
			release, err := s.limit.Acquire(WithPass(w.ctx, pass))
			if err != nil {
				w.Fatal(err)
			}
			release(unavailable)
			pass.Release()
		}
		cancel()
	})
}

// hold holds the fleet for a while.
func hold(w *world, s *simWorker, d time.Duration) {
	w.Helper()
	pass, err := s.Enter(w.ctx, queue.Default)
	if err != nil {
		w.Fatal(err)
	}
	release, err := s.limit.Acquire(WithPass(w.ctx, pass))
	if err != nil {
		w.Fatal(err)
	}
	release(limitedFor(d))
	pass.Release()
	synctest.Wait()
	if s.Snapshot().Reason != RetryAfter {
		w.Fatalf("not held: %+v", s.Snapshot())
	}
}

func TestCallsOfNoTaskAreHeldToo(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		s := w.worker("a", 0, Options{})
		hold(w, s, 5*time.Second)
		for _, ctx := range []context.Context{w.ctx, WithPass(w.ctx, nil)} {
			_, err := s.limit.Acquire(ctx)
			if held, ok := errors.AsType[*HeldError](err); !ok || held.Reason != RetryAfter || time.Until(held.Until) > 5*time.Second {
				t.Errorf("got %v", err)
			}
		}
	})
}

// patient is a limiter whose permits never come.
type patient struct{}

func (patient) Acquire(ctx context.Context) (func(layer.Answer), error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWhoWaitsForAPermitGoesBackWhenAHoldBegins(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		s := w.worker("a", 0, Options{})
		failed := make(chan error, 1)
		w.all.Go(func() {
			_, err := s.Limiter(patient{}).Acquire(w.ctx)
			failed <- err
		})
		synctest.Wait()
		hold(w, s, 5*time.Second)
		err := <-failed
		if _, ok := errors.AsType[*HeldError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

// A probe that waits long for its permit keeps the probe, and loses it with its context.
func TestProbeThatWaitsForItsPermit(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		a, b := w.worker("a", 0, Options{}), w.worker("b", 0, Options{})
		hold(w, a, 5*time.Second)
		pass, err := a.Enter(w.ctx, queue.Default)
		if err != nil || !pass.Probe() {
			w.Fatal(pass, err)
		}
		ctx, cancel := context.WithCancel(w.ctx)
		w.all.Go(func() {
			_, err := a.Limiter(patient{}).Acquire(WithPass(ctx, pass))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			pass.Release()
		})
		var other *Pass
		w.all.Go(func() { other, _ = b.Enter(w.ctx, queue.Default) })
		w.sleep(5 * time.Minute)
		if other != nil {
			w.Fatal("a second probe")
		}
		cancel()
		w.sleep(time.Second)
		if other == nil || !other.Probe() {
			w.Fatal("the probe went to nobody")
		}
		other.Release()
	})
}

func TestEnterEnds(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		s := w.worker("a", 0, Options{})
		hold(w, s, time.Minute)
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		if _, err := s.Enter(ctx, queue.Default); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		s.Close()
		s.Close()
		if _, err := s.Enter(w.ctx, queue.Default); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

var worlds = flag.Int("worlds", 8, "how many random worlds TestLaw makes")

// Random worlds: whatever the API answers and whoever dies, the fleet leaves a broken API
// alone, makes one call at a time while held, and is back when the API is.
func TestLaw(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*worlds) {
		simulate(t, func(w *world) {
			w.Logf("seed %d", seed) // it repeats the world and the pauses, not which goroutine is first
			w.random = rand.New(rand.NewPCG(seed, 7))
			law(w)
		})
	}
}

func law(w *world) {
	random := w.random
	w.work = -1
	w.takes = time.Duration(1+random.IntN(300)) * time.Millisecond
	var workers []*simWorker
	for range 2 + random.IntN(3) {
		s := w.worker("", 1+random.IntN(12), Options{})
		if random.IntN(3) == 0 {
			own := rand.New(rand.NewPCG(random.Uint64(), 1))
			s.diesIf(func(probe bool) bool { return probe && own.IntN(3) == 0 })
		}
		workers = append(workers, s)
	}
	last := w.worker("", 4, Options{}) // lives
	workers = append(workers, last)
	bad := []layer.Answer{unavailable, refused, limited, limitedFor(time.Second), limitedFor(9 * time.Second), unknown, {Status: 302}}
	for range 6 {
		w.sleep(time.Duration(random.IntN(20)) * time.Second)
		w.breaks(bad[random.IntN(len(bad))])
		// Every slot may be at it when it begins, and again where the answers are late.
		settled := w.now() + 2*time.Second + 2*w.takes
		w.sleep(time.Duration(5+random.IntN(90)) * time.Second)
		w.oneAtATime(settled, w.now(), w.takes)
		w.answers(always(sent))
		w.sleep(60*time.Second + 6*time.Second + 2*(defaultTimeout+spare)*time.Duration(len(workers)))
		before := w.now()
		w.sleep(2 * time.Second)
		for _, s := range workers {
			if s.dead.Err() == nil && s.Snapshot().Reason != "" {
				w.Errorf("held while all is well: %+v", s.Snapshot())
			}
		}
		if w.during(before, w.now()) == 0 {
			w.Error("nothing goes on")
		}
	}
}

// oneAtATime checks that calls do not overlap.
func (w *world) oneAtATime(from, to, takes time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := -takes
	for _, c := range w.calls {
		if c.at < from || c.at >= to {
			continue
		}
		if c.at < last+takes {
			w.Errorf("a call at %s while one of %s is under way", c.at, last)
		}
		last = c.at
	}
}
