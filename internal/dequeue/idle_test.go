package dequeue

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// lab runs a waiter in a bubble where time is the test's.
type lab struct {
	*waiter
	answers chan error // what the blocked command answers
	sent    int
	lines   []bool // what was logged: lost or not
	stop    chan struct{}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{answers: make(chan error), stop: make(chan struct{})}
	l.waiter = &waiter{
		queue: "q",
		blocked: func() error {
			select {
			case err := <-l.answers:
				return err
			case <-l.stop:
				return redis.ErrClosed
			}
		},
		closed: l.stop,
		start:  func(f func()) bool { l.sent++; go f(); return true },
		log:    func(lost bool, _ error) { l.lines = append(l.lines, lost) },
		turn:   make(chan struct{}, 1),
		sooner: make(chan struct{}, 1),
	}
	t.Cleanup(func() { close(l.stop) })
	return l
}

// await runs one wait and returns what it said and how long it took.
func (l *lab) await(t *testing.T) (again bool, took time.Duration) {
	t.Helper()
	began := time.Now()
	again = l.waiter.await(t.Context())
	return again, time.Since(began)
}

func (l *lab) answer(err error) { go func() { l.answers <- err }() }

func TestWaitEnds(t *testing.T) {
	t.Parallel()
	cut := errors.New("EOF")
	for _, tc := range []struct {
		name  string
		given func(l *lab)
		again bool
		took  time.Duration
	}{
		{"with a push", func(l *lab) { l.answer(nil) }, true, 0},
		{"without one", func(l *lab) { l.answer(redis.Nil) }, false, 0},
		{"when something is due", func(l *lab) { l.hint(time.Now().Add(time.Second)) }, true, time.Second},
		{"when something is due earlier than was known", func(l *lab) {
			l.hint(time.Now().Add(2 * time.Second))
			time.AfterFunc(time.Second, func() { l.hint(time.Now().Add(time.Millisecond)) })
		}, true, time.Second + time.Millisecond},
		{"at once when something was due", func(l *lab) { l.hint(time.Now().Add(-time.Second)) }, true, 0},
		{"when the connection is cut", func(l *lab) { l.answer(cut) }, true, 0},
		{"when no answer comes", func(*lab) {}, false, BlockTimeout + blockGrace},
		{"after a second when waiting fails again", func(l *lab) { l.failures = 1; l.answer(cut) }, false, errorPoll},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				tc.given(l)
				if again, took := l.await(t); again != tc.again || took != tc.took {
					t.Errorf("look again: %t after %s, want %t after %s", again, took, tc.again, tc.took)
				}
			})
		})
	}
}

func TestOneBlockedCommandForManyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		for range 5 {
			l.hint(time.Now().Add(100 * time.Millisecond))
			l.await(t)
		}
		if l.sent != 1 {
			t.Errorf("%d commands were sent, want 1", l.sent)
		}
	})
}

// A connection that is dead without saying so must not stop the polling.
func TestAnswerThatNeverComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.await(t)
		for range 3 {
			if again, took := l.await(t); again || took != errorPoll {
				t.Errorf("look again: %t after %s, want a poll after %s", again, took, errorPoll)
			}
		}
		l.answer(nil) // it was only slow
		if again, took := l.await(t); !again || took != 0 {
			t.Errorf("look again: %t after %s, want at once", again, took)
		}
	})
}

func TestLostWakeUpIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		for range 5 {
			l.answer(errors.New("NOPERM this user has no permissions to run the 'blmove' command"))
			l.await(t)
		}
		if len(l.lines) != 1 || !l.lines[0] {
			t.Errorf("logged %v, want once that it is lost", l.lines)
		}
		l.answer(redis.Nil)
		l.await(t)
		if len(l.lines) != 2 || l.lines[1] {
			t.Errorf("logged %v, want once that it is back", l.lines)
		}
	})
}

// Workers that find nothing after a push stay away from the next ones for a while.
func TestThoseThatComeTooLateBackOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, longest := newLab(t), time.Duration(0)
		for range 100 {
			l.answer(nil)
			_, took := l.await(t)
			l.found(false)
			longest = max(longest, took)
		}
		if longest < maxBackoff/2 || longest > maxBackoff {
			t.Errorf("stayed away for up to %s, want up to %s", longest, maxBackoff)
		}
		l.found(true)
		l.answer(nil)
		if _, took := l.await(t); took != 0 {
			t.Errorf("stayed away for %s after it had found a task", took)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if l.waiter.await(ctx) || time.Since(began) != time.Second {
			t.Errorf("ended after %s", time.Since(began))
		}
	})
}
