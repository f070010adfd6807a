//go:build limits && linux

package limits

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/test/rig"
)

// Three workers with 210 places wait for permits, for some tasks that they have and for those that they
// leave in the queue until then. What Redis has to do for that is
// bounded, all go back at once when the workers stop, and nothing is lost.
func TestWaiting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate      string
		exchanges float64 // a second, of all three workers
	}{
		"100 a second":    {"100/1s", 150},
		"nothing is free": {"1/1h", 9}, // each asks every 0.75 s, and again when an answer is late
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "LAYERQ_RATE_LIMIT="+c.rate, "LAYERQ_CRITICAL_RESERVE=0%", "LAYERQ_QUEUES=default=70")
			s.enqueue(3000, "default")
			s.Start(3)
			for _, p := range s.Living() {
				rig.Eventually(t, 30*time.Second, "calls wait, and Redis was asked for permits", func() bool {
					waiting, _ := s.findMetric(p, `layerq_permits_waiting{queue="default"}`)
					_, asked := s.findMetric(p, exchangesAnswered)
					return waiting > 0 && asked
				})
			}
			const span = 10 * time.Second
			exchanges, scripts, commands := s.asked()
			<-time.After(span)
			exchanges2, scripts2, commands2 := s.asked()
			per := (exchanges2 - exchanges) / span.Seconds()
			t.Logf("a second: %.1f requests for permits, %.1f scripts in all, %.0f commands", per, (scripts2-scripts)/span.Seconds(), (commands2-commands)/span.Seconds())
			if per <= 0 || per > c.exchanges {
				t.Errorf("Redis is asked %.1f times a second for permits, want some, and %.0f at most", per, c.exchanges)
			}
			for _, p := range s.Living() {
				begin := time.Now()
				if code := p.Stop(); code != 0 {
					t.Errorf("%s ended with %d", p.Name, code)
				}
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("%s took %s to stop, though all its tasks wait", p.Name, took)
				}
			}
			calls := len(s.arrivals())
			q := s.queue("default")
			if q.Active != 0 || q.Retry != 0 || q.Archived != 0 || q.Completed != calls || q.Pending+q.Waiting != 3000-calls {
				t.Errorf("after %d calls the queue is %+v", calls, q)
			}
		})
	}
}

// exchangesAnswered is the metric of how often a worker got permits, or heard that there are none. It is there from the first time on.
const exchangesAnswered = `layerq_permits_exchanges_total{result="answered"}`

// asked is how often the workers asked for permits, how many scripts Redis ran, and how many commands.
func (s *site) asked() (exchanges, scripts, commands float64) {
	s.t.Helper()
	for _, p := range s.Living() {
		n, found := s.findMetric(p, exchangesAnswered)
		if !found {
			s.t.Fatalf("%s has no metric %s", p.Name, exchangesAnswered)
		}
		exchanges += n
	}
	stats, err := s.redis.Client.Info(s.t.Context(), "commandstats").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`cmdstat_(\S+?):calls=(\d+)`).FindAllStringSubmatch(stats, -1) {
		n := number(s.t, m[2])
		commands += n
		if strings.HasPrefix(m[1], "eval") {
			scripts += n
		}
	}
	return exchanges, scripts, commands
}

// findMetric is a value of a worker's metrics.
func (s *site) findMetric(p *rig.Process, name string) (value float64, found bool) {
	s.t.Helper()
	for line := range strings.Lines(s.admin(p, "/metrics")) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			return number(s.t, strings.TrimSpace(text)), true
		}
	}
	return 0, false
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
