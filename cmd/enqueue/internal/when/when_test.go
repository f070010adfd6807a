package when_test

import (
	"testing"
	"time"

	"github.com/layerq/layerq/cmd/enqueue/internal/when"
)

func TestWhatIsUnderstood(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 9, 30, 0, 5, time.UTC)
	if d, err := when.Delay("1h30m"); err != nil || d != 90*time.Minute {
		t.Errorf("a delay: %v, %v", d, err)
	}
	if d, err := when.Delay("0s"); err != nil || d != 0 {
		t.Errorf("no delay: %v, %v", d, err)
	}
	if at, err := when.Time("2026-07-01T11:30:00+02:00"); err != nil || !at.Equal(now.Add(-5)) {
		t.Errorf("a time: %v, %v", at, err)
	}
	if end, err := when.End("2h", now); err != nil || !end.Equal(now.Add(2*time.Hour)) {
		t.Errorf("a duration from now: %v, %v", end, err)
	}
	if end, err := when.End("2026-07-01T09:30:00Z", now); err != nil || !end.Equal(now.Add(-5)) {
		t.Errorf("a time as an end: %v, %v", end, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "0", "5", "-1s", "soon", "1 h", "2026-07-01"} {
		if d, err := when.Delay(s); err == nil {
			t.Errorf("the delay %q is %v", s, d)
		}
	}
	for _, s := range []string{"", "tomorrow", "2026-07-01", "2026-02-30T00:00:00Z", "1h"} {
		if at, err := when.Time(s); err == nil {
			t.Errorf("the time %q is %v", s, at)
		}
	}
	for _, s := range []string{"", "never", "0s", "-1h", "2026-07-01"} {
		if end, err := when.End(s, time.Now()); err == nil {
			t.Errorf("the end %q is %v", s, end)
		}
	}
}
