package holds

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
)

// breaks lets every call fail from now on.
func (w *world) breaks(failure layer.Answer) {
	w.answers(func(call) layer.Answer { return failure })
}

func TestOutage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		failure layer.Answer
		busy    bool
		most    int // calls in the first minute
	}{
		{"503 from the start on", unavailable, false, 45},
		{"no connection from the start on", refused, false, 45},
		// All 64 tasks of the two are about to call when it begins.
		{"503 in the middle of work", unavailable, true, 80},
		{"no connection in the middle of work", refused, true, 80},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			simulate(t, func(w *world) {
				w.work = -1
				if !c.busy {
					w.breaks(c.failure)
				}
				workers := []*simWorker{w.worker("a", 32, Options{}), w.worker("b", 32, Options{})}
				if c.busy {
					w.sleep(10 * time.Second)
					if n := w.during(9*time.Second, 10*time.Second); n < 6000 {
						t.Errorf("%d calls a second while all is well", n)
					}
				}
				w.breaks(c.failure)
				began := w.now() + 1
				if !c.busy {
					began = 0
				}
				w.sleep(5 * time.Minute)
				if n := w.during(began, began+time.Minute); n > c.most {
					t.Errorf("%d calls in the first minute, want at most %d", n, c.most)
				}
				for at := began + time.Minute; at < began+5*time.Minute; at += time.Minute {
					if n := w.during(at, at+time.Minute); n > 8 || n < 5 {
						t.Errorf("%d calls in the minute after %s", n, at-began)
					}
				}
				w.answers(always(sent))
				ended := w.now()
				w.sleep(15 * time.Second)
				if n := w.during(ended+14*time.Second, ended+15*time.Second); n < 5760 {
					t.Errorf("%d calls a second 15 s after the outage", n)
				}
				for _, s := range workers {
					if s.log.count("left alone") != 1 || s.log.count("asked again") != 1 {
						t.Errorf("logged\n%s", s.log)
					}
				}
				for task, n := range w.losses() {
					if n > 2 {
						t.Errorf("task %d lost %d attempts", task, n)
					}
				}
			})
		})
	}
}

// waits puts a task into the line of a queue, behind those that the simulation runs.
func waits(w *world) {
	w.Helper()
	if _, err := w.redis.Lpush(queue.PendingKey(queue.Bulk), "waits"); err != nil {
		w.Fatal(err)
	}
}

// A task that is all there is uses up many attempts before the fleet is held because of it.
func TestTaskThatIsAlone(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = 1
		w.breaks(unavailable)
		s := w.worker("a", 1, Options{})
		w.sleep(time.Minute)
		if n := s.log.count("left alone"); n != 1 {
			t.Errorf("held %d times", n)
		}
		if n := w.losses()[1]; n < threshold/3 {
			t.Errorf("it lost %d attempts", n)
		}
	})
}

// Where few tasks run, few failures are an outage: else each of them would lose many attempts.
func TestOutageOfFewTasks(t *testing.T) {
	t.Parallel()
	for slots, most := range map[int]int{1: 6, 2: 12, 3: 18, 4: 20} {
		simulate(t, func(w *world) {
			w.work = slots
			waits(w)
			w.breaks(unavailable)
			s := w.worker("a", slots, Options{})
			w.sleep(2 * time.Minute)
			if n := s.log.count("left alone"); n != 1 {
				t.Errorf("%d tasks: held %d times", slots, n)
			}
			// The first probe comes a second after the hold began, which is when that many have failed.
			if n := w.during(0, 1500*time.Millisecond); n > most+few {
				t.Errorf("%d tasks: %d calls before the fleet was held, want %d", slots, n, most)
			}
			for task, n := range w.losses() {
				if n > 2 {
					t.Errorf("%d tasks: task %d lost %d attempts", slots, task, n)
				}
			}
		})
	}
}

// One conversation that always fails among others that are answered holds nobody, also where that one is all that a worker has.
func TestOneTaskThatAlwaysFails(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		lone, busy := w.worker("lone", 1, Options{}), w.worker("busy", 8, Options{})
		w.answers(func(c call) layer.Answer {
			if c.worker == lone {
				return unavailable
			}
			return sent
		})
		w.sleep(time.Minute)
		if busy.log.count("left alone") != 0 || lone.log.count("left alone") != 0 {
			t.Errorf("held\n%s%s", busy.log, lone.log)
		}
		if n := w.finished(); n < 40_000 {
			t.Errorf("%d tasks done in a minute", n)
		}
	})
}

// A worker that has little to do knows little of the API, however long it has been up.
func TestColdAfterSomeAnswers(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = 20 // and the window is 28
		w.worker("a", 64, Options{})
		w.sleep(time.Minute)
		w.takes = 500 * time.Millisecond
		w.breaks(unavailable)
		w.mu.Lock()
		w.work = -1
		w.mu.Unlock()
		at := w.now()
		w.sleep(time.Minute)
		if n := w.during(at, at+1100*time.Millisecond); n == 0 || n > 2*cold {
			t.Errorf("%d calls at once, want %d", n, cold)
		}
	})
}

// Calls that hang take every slot before anybody knows; then one at a time hangs.
func TestSilentAPI(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work, w.takes = -1, 10*time.Second
		w.breaks(layer.Answer{Err: &layer.TransportError{Kind: layer.KindTimeout}})
		w.worker("a", 32, Options{})
		w.worker("b", 32, Options{})
		w.sleep(3 * time.Minute)
		if n := w.during(0, time.Minute); n > 60 {
			t.Errorf("%d calls in the first minute", n)
		}
		if n := w.during(2*time.Minute, 3*time.Minute); n > 6 {
			t.Errorf("%d calls in the third minute", n)
		}
	})
}

func TestRandomFailuresHoldNobody(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		simulate(t, func(w *world) {
			random := rand.New(rand.NewPCG(seed, 1))
			w.work, w.takes = -1, 50*time.Millisecond
			w.answers(func(call) layer.Answer {
				if random.Float64() < 0.3 {
					return unavailable
				}
				return sent
			})
			var workers []*simWorker
			for range 4 {
				workers = append(workers, w.worker("", 16, Options{}))
			}
			w.sleep(15 * time.Second)
			for _, s := range workers {
				if s.log.count("left alone") != 0 {
					t.Errorf("held after %d calls\n%s", len(w.made()), s.log)
				}
			}
			if n := len(w.made()); n < 9_000 {
				t.Errorf("%d calls in 15 s, want about 10,000", n)
			}
		})
	}
}

// Tasks that are refused each for itself are answers.
func TestRefusedTasksHoldNobody(t *testing.T) {
	t.Parallel()
	for _, a := range []layer.Answer{
		{Status: 404, Code: layer.CodeNotFound},
		{Status: 410, Code: layer.CodeObjectDeleted},
		{Status: 422, Code: layer.CodeInvalidProperty},
		{Status: 403, Code: layer.CodeUserSuspended},
		{Status: 403, Code: layer.CodeAccessDenied},
	} {
		simulate(t, func(w *world) {
			w.work = -1
			w.breaks(a)
			s := w.worker("a", 16, Options{})
			w.sleep(5 * time.Second)
			if s.log.count("left alone") != 0 || len(w.made()) < 5000 {
				t.Errorf("%d: %d calls\n%s", a.Status, len(w.made()), s.log)
			}
		})
	}
}

// An API that comes for some seconds and goes again is not stormed each time.
func TestFlappingAPI(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.worker("a", 32, Options{})
		w.worker("b", 32, Options{})
		failed := 0
		w.answers(func(c call) layer.Answer {
			if int(c.at.Seconds())/5%2 == 1 {
				failed++
				return unavailable
			}
			return sent
		})
		w.sleep(2 * time.Minute)
		w.mu.Lock()
		if most := 12 * 80; failed > most {
			t.Errorf("%d failed calls in 12 outages of 5 s, want at most %d", failed, most)
		}
		w.mu.Unlock()
		if w.finished() < 50_000 {
			t.Errorf("%d tasks done in a minute of work", w.finished())
		}
	})
}

func TestProberDies(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.breaks(unavailable)
		died := 0
		var workers []*simWorker
		for range 3 {
			s := w.worker("", 8, Options{})
			s.diesIf(func(probe bool) bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				if probe && died < 2 {
					died++
					return true
				}
				return false
			})
			workers = append(workers, s)
		}
		w.sleep(30 * time.Second)
		w.answers(always(sent))
		ended := w.now()
		// Each death costs the lease of an attempt.
		w.sleep(2*(defaultTimeout+spare) + 12*time.Second)
		w.mu.Lock()
		if died != 2 || w.done == 0 {
			t.Errorf("%d died, %d tasks done %s after the outage", died, w.done, w.now()-ended)
		}
		w.mu.Unlock()
		open := 0
		for _, s := range workers {
			if s.dead.Err() == nil && s.Snapshot().Reason == "" {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d workers are open", open)
		}
	})
}

// With nothing that waits there is no probe; the next task is it.
func TestNextTaskProbes(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = 100
		w.breaks(unavailable)
		s := w.worker("a", 8, Options{})
		w.worker("b", 8, Options{})
		w.sleep(20 * time.Second)
		w.mu.Lock()
		w.work, w.loose = 0, nil
		w.mu.Unlock()
		w.sleep(time.Minute)
		before := len(w.made())
		w.sleep(5 * time.Minute)
		if n := len(w.made()) - before; n != 0 {
			t.Errorf("%d calls without a task", n)
		}
		w.answers(always(sent))
		w.mu.Lock()
		w.work, w.done = 10, 0
		w.mu.Unlock()
		w.sleep(3 * time.Second)
		if w.finished() != 10 {
			t.Errorf("%d of 10 tasks done\n%s", w.finished(), s.log)
		}
	})
}

// The whole fleet dies in a hold. What it leaves expires.
func TestDeadFleet(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.breaks(unavailable)
		s := w.worker("a", 8, Options{})
		w.sleep(time.Minute)
		s.kill()
		s.tasks.Wait()
		if len(w.redis.Keys()) == 0 {
			t.Error("nothing is held")
		}
		w.sleep(20 * time.Minute)
		if keys := w.redis.Keys(); len(keys) != 0 {
			t.Errorf("left after 20 min: %v", keys)
		}
	})
}

func TestRedisAwayDuringHold(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		w.breaks(unavailable)
		s := w.worker("a", 8, Options{})
		w.sleep(5 * time.Second)
		w.redis.SetError("LOADING not now")
		at := w.now()
		w.sleep(time.Minute)
		if n := w.during(at, w.now()); n > 1 {
			t.Errorf("%d calls while nobody knows", n)
		}
		if n := s.log.count("layer is not asked again until it does"); n != 1 {
			t.Errorf("it is said %d times that Redis is what is waited for", n)
		}
		w.answers(always(sent))
		w.redis.SetError("")
		w.sleep(20 * time.Second)
		if w.finished() < 1000 {
			t.Errorf("%d tasks done after Redis was back", w.finished())
		}
	})
}

// Redis away from the first failure on: what this process knows holds it.
func TestHoldWithoutRedis(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work, w.takes = -1, 100*time.Millisecond
		s := w.worker("a", 8, Options{})
		w.sleep(time.Second)
		w.redis.SetError("LOADING not now")
		w.answers(always(limitedFor(30 * time.Second)))
		w.sleep(time.Second)
		at := w.now()
		w.sleep(20 * time.Second)
		if n := w.during(at, w.now()); n != 0 || s.Snapshot().Reason != RetryAfter {
			t.Errorf("%d calls, %+v", n, s.Snapshot())
		}
		if n := s.log.count("layer is not asked again until it does"); n != 1 {
			t.Errorf("it is said %d times that Redis is what is waited for", n)
		}
	})
}

// A worker that cannot reach the API is no outage: the others are answered, and say so when they are asked.
func TestOneWorkerIsCutOff(t *testing.T) {
	t.Parallel()
	simulate(t, func(w *world) {
		w.work = -1
		cut, fine := w.worker("cut", 16, Options{}), w.worker("fine", 4, Options{})
		w.answers(func(c call) layer.Answer {
			if c.worker == cut {
				return refused
			}
			return sent
		})
		w.sleep(20 * time.Second)
		if fine.log.count("left alone") != 0 || cut.log.count("left alone") != 0 {
			t.Errorf("held\n%s%s", fine.log, cut.log)
		}
		if w.finished() < 5000 {
			t.Errorf("%d tasks done", w.finished())
		}
	})
}

func TestWaryAfterSomeFailures(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := breaker{attempts: 8}
	for n, want := range []bool{false, false, false, true, true} {
		if got := b.wait(now) > 0; got != want {
			t.Errorf("after %d failures with 8 attempts under way the next one waits: %v", n, got)
		}
		b.count(finding{kind: failing}, 8, now)
	}
	if b.attempts = few - 1; b.wait(now) == 0 {
		t.Error("it does not wait for Redis")
	}
	b.unjudged = time.Time{}
	if b.wait(now) > 0 {
		t.Error("it waits although few are under way, and Redis knows all")
	}
	b.attempts = 8
	b.count(finding{kind: alive}, 8, now)
	if b.wait(now) > 0 {
		t.Error("it waits after an answer")
	}
}
