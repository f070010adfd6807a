//go:build limits && linux

package limits

import (
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// Without Redis each worker goes on with what is in its hands, within its share:
// calls go on, and never too many.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(s *site, away time.Duration){
		"killed and restarted": func(s *site, away time.Duration) { s.redis.Crash(away) },
		"frozen":               func(s *site, away time.Duration) { s.redis.Proc.Freeze(away) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "frozen" && !*long {
				t.Skip("only in the long form")
			}
			const n, away = 20, 8 * time.Second
			s := newSite(t, "LAYERQ_RATE_LIMIT=20/1s", "LAYERQ_CRITICAL_RESERVE=0%", "LAYER_TIMEOUT=2s", "LAYERQ_QUEUES=default=128")
			s.emulator.Limit("20/1s")
			s.enqueue(1500, "default")
			s.Start(3)
			rig.Eventually(t, 20*time.Second, "calls", func() bool { return len(s.arrivals()) > 3*n })
			gone := time.Now()
			take(s, away)
			back := time.Now()
			<-time.After(25 * time.Second)
			all := s.arrivals()
			during := all.used(n, time.Second, gone.Add(3*time.Second), gone.Add(away))
			after := all.used(n, time.Second, back.Add(10*time.Second), back.Add(25*time.Second))
			t.Logf("without Redis %.0f %% of the limit used, from 10 s after its return %.0f %%; %d refused of %d, %d in the fullest second",
				100*during, 100*after, all.refused(), len(all), all.most(time.Second))
			if all.refused() > 0 || all.most(time.Second) > n {
				t.Errorf("%d refused, %d in the fullest second", all.refused(), all.most(time.Second))
			}
			// How much it is without Redis goes by who had which permits when it ended.
			if during < 0.1 || after < 0.9 {
				t.Error("want a tenth of the limit without Redis at least, and 90 % after its return")
			}
		})
	}
}
