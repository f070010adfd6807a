//go:build faults && linux

package faults

import (
	"net/http"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// some hits a share of the calls that change something. The test's own
// reading is spared.
func some(percent float64, rule layertest.Rule) layertest.Rule {
	p := percent / 100
	rule.Match.Method = "POST|PUT|PATCH|DELETE"
	rule.Probability = &p
	return rule
}

// wrongAnswers are all ways in which Layer fails, 30 % together.
func wrongAnswers() []layertest.Rule {
	const half = 0.5
	var rules []layertest.Rule
	for _, status := range []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		rules = append(rules, some(3, layertest.Rule{Status: status, AfterCommit: true}))
	}
	return append(rules,
		some(4, layertest.Rule{DropConnection: true, AfterCommit: true}),
		some(2, layertest.Rule{DropConnection: true}),
		some(1, layertest.Rule{Hang: true, AfterCommit: true}),
		some(1, layertest.Rule{Hang: true}),
		some(3, layertest.Rule{HalfBody: true}),
		some(2, layertest.Rule{Status: http.StatusRequestTimeout}),
		some(2, layertest.Rule{Status: http.StatusServiceUnavailable}),
		some(half, layertest.Rule{Status: http.StatusTooManyRequests}),
		some(half, layertest.Rule{Status: http.StatusTooManyRequests, RetryAfter: layertest.Duration(time.Second)}),
		some(2, layertest.Rule{Latency: layertest.Duration(time.Second)}),
	)
}

func TestLayer_30_percent_wrong(t *testing.T) {
	t.Parallel()
	row{name: "Layer: 30 % of its answers wrong", compare: true, hangs: true, latency: 20 * time.Millisecond}.run(t, func(s *site) {
		s.misanswered(wrongAnswers()...)
	})
}

func TestLayer_503_after_the_work(t *testing.T) {
	t.Parallel()
	row{name: "Layer: 503 after the work, 30 %", compare: true, latency: 20 * time.Millisecond}.run(t, func(s *site) {
		s.misanswered(some(30, layertest.Rule{Status: http.StatusServiceUnavailable, AfterCommit: true}))
	})
}

// misanswered runs a load while the emulator answers by these rules, to the end.
func (s *site) misanswered(rules ...layertest.Rule) {
	s.t.Helper()
	l := s.load(rowTasks())
	s.emulator.Faults(rules...)
	s.Start(3)
	l.enqueue(span())
	over := time.Now()
	took, settled := s.settle(over, patience)
	if s.t.Failed() {
		return // no use in waiting once more
	}
	s.emulator.Faults() // the books are read without
	b := s.close(l, over, allowed{repeats: anyNumber, fails: true})
	b.Recovery, b.Open = took, !settled
	s.record(b)
}
