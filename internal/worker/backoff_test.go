package worker

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/layerq/layerq/layer"
)

// The law of full jitter: never above the doubled interval, nor the longest, and
// anything below it.
func TestRetryDelay_is_full_jitter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Hour)).Draw(t, "least"))
		most := time.Duration(rapid.Int64Range(int64(least), int64(24*time.Hour)).Draw(t, "most"))
		n := rapid.IntRange(-1, 1000).Draw(t, "n")
		limit := most
		if n < 1 {
			limit = min(least, most)
		} else if n < 40 && least<<(n-1) > 0 {
			limit = min(least<<(n-1), most)
		}
		if got := (retryDelay{least, most}).after(n, nil); got < 0 || got > limit+time.Microsecond {
			t.Fatalf("retry %d waits %v, at most %v is allowed", n, got, limit)
		}
	})
}

func TestRetryDelay_spreads_over_the_whole_interval(t *testing.T) {
	t.Parallel()
	var low, high int
	const samples = 2000
	for range samples {
		switch got := (retryDelay{time.Second, time.Minute}).after(4, nil); {
		case got < 2*time.Second:
			low++
		case got > 6*time.Second:
			high++
		}
	}
	// A quarter each is expected; a fifth is 5 standard deviations away.
	if low < samples/5 || high < samples/5 {
		t.Errorf("of %d waits up to 8 s, %d are below 2 s and %d above 6 s", samples, low, high)
	}
}

func TestRetryDelay_waits_as_long_as_Layer_asks(t *testing.T) {
	t.Parallel()
	asked := &layer.Error{Status: 429, RetryAfter: 30 * time.Second}
	for range 100 {
		got := retryDelay{time.Second, 10 * time.Second}.after(1, asked)
		if got < 30*time.Second || got > 31*time.Second {
			t.Fatalf("waits %v", got)
		}
	}
	// The fleet is not held for longer, and is asked again then.
	asked.RetryAfter = 24 * time.Hour
	if got := (retryDelay{time.Second, 10 * time.Second}).after(1, asked); got < time.Hour || got > time.Hour+time.Second {
		t.Errorf("asked for a day it waits %v", got)
	}
}
