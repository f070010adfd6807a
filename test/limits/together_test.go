//go:build limits && linux

package limits

import (
	"net/http"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/test/rig"
)

// Everything at once: three workers find the limit out, one of them is killed with -9 every four seconds, Layer
// is gone for a while, and all messages belong to conversations. Nothing is lost, nothing is sent twice, the order holds, few
// calls are refused, and the fleet is soon back at its limit.
func TestTogether(t *testing.T) {
	t.Parallel()
	const limit, gone = 60, 10 * time.Second
	s := newSite(t, "LAYERQ_RATE_LIMIT=auto", "LAYERQ_CRITICAL_RESERVE=0%", "LAYERQ_RETRY_MIN=100ms", "LAYERQ_RETRY_MAX=1s")
	s.emulator.Limit("60/1s")
	b := s.book()
	b.send(inLong(9000, 1800), 450)
	s.Start(3)
	stop := rig.Every(t, 4*time.Second, s.replace)
	pass(t, inLong(60*time.Second, 16*time.Second))
	s.emulator.Faults(layertest.Rule{Status: http.StatusServiceUnavailable})
	began := time.Now()
	pass(t, inLong(60*time.Second, gone))
	s.emulator.Faults()
	over := time.Now()
	pass(t, inLong(60*time.Second, 6*time.Second))
	stop()
	b.allDone(inLong(4*time.Minute, 90*time.Second))

	during := len(s.calls(began, earlier(over, began.Add(time.Minute))))
	back := s.backAt(over, limit*9/10)
	calls, refused := 0, 0
	for _, r := range s.calls(time.Time{}, time.Now()) {
		switch {
		case r.Status == http.StatusTooManyRequests:
			refused++
			calls++
		case r.Status != http.StatusServiceUnavailable:
			calls++
		}
	}
	t.Logf("%d calls in the outage, back at 90 %% of the limit after %.1f s; %d of %d calls refused (%.2f %%); done %.0f s after the outage",
		during, back.Seconds(), refused, calls, 100*float64(refused)/float64(calls), time.Since(over).Seconds())
	if during > 60 {
		t.Errorf("%d calls in the first minute of the outage", during)
	}
	if back < 0 || back > 15*time.Second {
		t.Errorf("back at 90 %% of the limit after %s, want 15 s", back)
	}
	if refused > calls/50 {
		t.Errorf("%d of %d calls refused, want 2 %%", refused, calls)
	}
	s.emulator.Limit("off") // for our own reading
	b.judge(3)
}
