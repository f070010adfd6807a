package layertest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoWindowHoldsMore is the law of the limit: whatever the arrivals, no
// span of length Per holds more than N admissions, and nobody is refused while
// there is room.
func TestNoWindowHoldsMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{N: rapid.IntRange(1, 5).Draw(t, "N"), Per: time.Second}
		var w window
		w.set(rate)
		now := time.Unix(0, 0)
		var admitted []time.Time
		for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 700), 1, 60).Draw(t, "gaps in ms") {
			now = now.Add(time.Duration(gap) * time.Millisecond)
			inWindow := 0
			for _, at := range admitted {
				if now.Sub(at) < rate.Per {
					inWindow++
				}
			}
			ok := w.admit(now)
			if want := inWindow < rate.N; ok != want {
				t.Fatalf("with %d of %d admitted in the last second: admitted %v, want %v", inWindow, rate.N, ok, want)
			}
			if ok {
				admitted = append(admitted, now)
			}
		}
	})
}

func TestLimitRemembersAcrossChanges(t *testing.T) {
	t.Parallel()
	var w window
	now := time.Unix(0, 0)
	w.set(Rate{2, time.Minute})
	for range 2 {
		if !w.admit(now) {
			t.Fatal("refused below the limit")
		}
	}
	w.set(Rate{3, time.Minute})
	if !w.admit(now) || w.admit(now) {
		t.Error("after raising 2 to 3: want exactly one more")
	}
	w.set(Rate{1, time.Minute})
	if w.admit(now) {
		t.Error("after lowering to 1: want none")
	}
	if w.set(Rate{}); !w.admit(now) {
		t.Error("without a limit: want all")
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Rate{"off": {}, "100/1s": {100, time.Second}, "1000/1m": {1000, time.Minute}, "1/250ms": {1, 250 * time.Millisecond}} {
		got, err := ParseRate(s)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", s, got, err, want)
		}
		if again, err := ParseRate(got.String()); err != nil || again != got {
			t.Errorf("%s: %q does not read back", s, got)
		}
	}
	for _, s := range []string{"", "100", "100/", "/1s", "0/1s", "-1/1s", "1/0s", "1/-1s", "1/s", "1.5/1s", "100/1s ", "100000000/1s", "OFF"} {
		if got, err := ParseRate(s); err == nil {
			t.Errorf("%q: got %v, want an error", s, got)
		}
	}
}
