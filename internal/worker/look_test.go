package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever has no time is not kept by a Redis that does not answer; who has gets
// what the one look found.
func TestLookKeepsNobodyForLongerThanHeHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, answers := 0, make(chan int)
		l := look[int]{keep: time.Minute, ask: func(context.Context) (int, error) {
			asked++
			return <-answers, nil
		}}
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := l.get(hurried); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("who has a second: %v after %v", err, time.Since(begun))
		}
		found := make(chan int, 2)
		for range cap(found) {
			go func() {
				value, err := l.get(t.Context())
				if err != nil {
					t.Error(err)
				}
				found <- value
			}()
		}
		synctest.Wait()
		answers <- 7
		if first, second := <-found, <-found; first != 7 || second != 7 || asked != 1 {
			t.Errorf("found %d and %d with %d looks, want 7 twice with one", first, second, asked)
		}
		if value, err := l.get(hurried); value != 7 || err != nil {
			t.Errorf("what is known is told at once: %d, %v", value, err)
		}
	})
}

func TestLookForgets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		after time.Duration
	}{
		"what was found, when it is old":         {nil, time.Minute},
		"a failure, as soon as that of counting": {errors.New("broken"), cacheTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				l := look[int]{keep: time.Minute, ask: func(context.Context) (int, error) {
					asked++
					return asked, c.err
				}}
				for i, wait := range []time.Duration{0, c.after - 1, 1} {
					<-time.After(wait)
					want := 1
					if i == 2 {
						want = 2
					}
					if _, err := l.get(t.Context()); asked != want || !errors.Is(err, c.err) {
						t.Errorf("%v: %d looks, want %d", err, asked, want)
					}
				}
			})
		})
	}
}
