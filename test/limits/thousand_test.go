//go:build limits && linux

package limits

import (
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// A thousand messages at 50 a second through three workers: all are sent, each once, none is
// refused, and it takes hardly longer than the limit asks for. The last ones may be those
// that a killed worker had in its hands: they wait for the end of its lease.
func TestThousandMessages(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]bool{"nobody dies": false, "a worker is killed every 5 s": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if kill && !*long {
				t.Skip("only in the long form")
			}
			const n, messages = 50, 1000
			s := newSite(t, "LAYERQ_RATE_LIMIT=50/1s", "LAYERQ_CRITICAL_RESERVE=0%")
			s.emulator.Limit("50/1s")
			s.enqueue(messages, "default")
			s.Start(3)
			next := time.Now().Add(5 * time.Second)
			rig.Eventually(t, 3*time.Minute, "all are done", func() bool {
				if kill && time.Now().After(next) {
					s.replace()
					next = time.Now().Add(5 * time.Second)
				}
				return s.queue("default").Completed == messages
			})
			got := s.arrivals()
			const most = messages * 9 / 10
			used := float64(most-n) / n / got[most-1].at.Sub(got[0].at).Seconds()
			t.Logf("%d calls in %.1f s, %d refused, %d in the fullest second, %.1f %% used in the first %d",
				len(got), got[len(got)-1].at.Sub(got[0].at).Seconds(), got.refused(), got.most(time.Second), 100*used, most)
			if got.refused() > 0 || got.most(time.Second) > n {
				t.Errorf("%d refused, %d in the fullest second", got.refused(), got.most(time.Second))
			}
			if want := inLong(0.9, 0.75); used < want || !kill && len(got) != messages { // others take the processors' time in the short form
				t.Errorf("want %.0f %% used, and one call for each message", 100*want)
			}
		})
	}
}
