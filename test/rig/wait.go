//go:build linux

package rig

import (
	"testing"
	"time"
)

// look is how often a state is looked at that is waited for.
const look = 20 * time.Millisecond

// Eventually waits for a state; t ends if it does not come within limit.
func Eventually(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-time.After(look)
	}
}

// Meanwhile does something beside the test, in a goroutine of its own. What it returns waits until that has ended, and
// returns when it did; where a Fatal has ended it before it was done, t ends, too. No test is over before it
// has ended, whatever becomes of the test.
func Meanwhile(t *testing.T, do func()) (over func() time.Time) {
	t.Helper()
	var at time.Time // zero where do was not done
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
		at = time.Now()
	}()
	t.Cleanup(func() { <-ended })
	return func() time.Time {
		t.Helper()
		<-ended
		if at.IsZero() {
			t.FailNow() // do has said why
		}
		return at
	}
}

// Every does something again and again, first after one interval, until stop is called, which
// waits for its end, or the test ends. Where a Fatal ended it before, so does stop end t.
func Every(t *testing.T, interval time.Duration, do func()) (stop func()) {
	t.Helper()
	quit := make(chan struct{})
	over := Meanwhile(t, func() {
		for {
			select {
			case <-quit:
				return
			case <-t.Context().Done():
				return
			case <-time.After(interval):
				do()
			}
		}
	})
	return func() {
		t.Helper()
		close(quit)
		over()
	}
}
