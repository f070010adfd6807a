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

// Every does something again and again, first after one interval, until stop is called, which
// waits for its end.
func Every(interval time.Duration, do func()) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-quit:
				return
			case <-time.After(interval):
				do()
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}
