//go:build limits && linux

package limits

import (
	"fmt"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// row is one run against a strict limit.
type row struct {
	n       int
	per     time.Duration
	jitter  bool // 20 to 200 ms for each call
	kill    bool // -9, a worker every 5 s
	measure time.Duration
	used    float64
	long    bool
}

func (r row) rate() string { return fmt.Sprintf("%d/%s", r.n, r.per) }

// Three workers, a strict limit: none refused, nearly all of it used. The first
// window is left out, in which a fresh limit gives everything at once. With jitter N / (T + the time to the answer) is all
// that anybody can use: 90.0 % of 50/1s. In the short form others take the processors' time.
func TestStrictLimit(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]row{
		"50 a second":                     {n: 50, per: time.Second, measure: 20 * time.Second, used: 0.90, long: true},
		"50 a second, jitter":             {n: 50, per: time.Second, jitter: true, measure: 60 * time.Second, used: 0.89, long: true},
		"50 a second, kills":              {n: 50, per: time.Second, kill: true, measure: 60 * time.Second, used: 0.90, long: true},
		"50 a second, jitter and kills":   {n: 50, per: time.Second, jitter: true, kill: true, measure: inLong(60*time.Second, 20*time.Second), used: inLong(0.86, 0.60)},
		"1000 a minute":                   {n: 1000, per: time.Minute, measure: 3 * time.Minute, used: 0.98, long: true},
		"1000 a minute, jitter and kills": {n: 1000, per: time.Minute, jitter: true, kill: true, measure: 3 * time.Minute, used: 0.98, long: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r.long && !*long {
				t.Skip("only in the long form")
			}
			r.run(t)
		})
	}
}

func (r row) run(t *testing.T) {
	t.Helper()
	var low, high time.Duration
	if r.jitter {
		low, high = 20*time.Millisecond, 200*time.Millisecond
	}
	s := newSiteFarFrom(t, low, high, "LAYERQ_RATE_LIMIT="+r.rate(), "LAYERQ_CRITICAL_RESERVE=0%")
	s.emulator.Limit(r.rate())
	enough := int(float64(r.n)*float64(r.measure+r.per)/float64(r.per)) + 500
	if r.kill {
		enough += int(r.measure/(5*time.Second)) * 64 // those in the hands of a killed worker come back later
	}
	s.enqueue(enough, "default")
	s.Start(3)
	rig.Eventually(t, 20*time.Second, "calls", func() bool { return len(s.arrivals()) > 0 })
	begin := time.Now()
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for time.Since(begin) < r.measure+r.per {
		<-ticker.C
		if r.kill {
			s.replace()
		}
	}
	got := s.arrivals()
	first := got[0].at.Add(r.per)
	used := got.used(r.n, r.per, first, first.Add(r.measure))
	t.Logf("%d calls, %d refused, %d in the fullest window, %.1f %% used", len(got), got.refused(), got.most(r.per), 100*used)
	if len(got) >= 1000 {
		took := got[999].at.Sub(got[0].at)
		t.Logf("the first 1,000 calls in %.1f s, %.1f %% of the limit, the first window counted", took.Seconds(), 100*1000*r.per.Seconds()/float64(r.n)/took.Seconds())
	}
	if got.refused() > 0 || got.most(r.per) > r.n {
		t.Errorf("%d refused, %d in one window of %d", got.refused(), got.most(r.per), r.n)
	}
	if used < r.used {
		t.Errorf("%.1f %% of the limit is used, want %.0f %%", 100*used, 100*r.used)
	}
}
