//go:build faults && linux

package faults

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
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

// What is deleted is not there when the call is made again: that Layer does not find it then is no failure.
func TestLayer_503_after_deletions(t *testing.T) {
	t.Parallel()
	row{name: "Layer: 503 after the work, deletions", latency: 20 * time.Millisecond}.run(t, func(s *site) {
		l := s.emptyLoad(0)
		for i := range rowTasks() {
			user := l.name + "user " + strconv.Itoa(i)
			l.add(&job{task: tasks.DeleteIdentity{User: user}})
		}
		abreast(len(l.jobs), func(i int) { s.identity(l.jobs[i].task.(tasks.DeleteIdentity).User) }) //nolint:errcheck,forcetypeassert // there are no others
		l.since = s.emulator.Mark()
		s.answers(l, some(30, layertest.Rule{Status: http.StatusServiceUnavailable, AfterCommit: true}))
	})
}

// identity gives a user one.
func (s *site) identity(user string) {
	if err := s.emulator.API.Identities.Create(s.t.Context(), user, layer.Identity{DisplayName: user}); err != nil {
		s.t.Error(err)
	}
}

// misanswered runs a load of its own while the emulator answers by these rules, to the end.
func (s *site) misanswered(rules ...layertest.Rule) {
	s.t.Helper()
	s.answers(s.load(rowTasks()), rules...)
}

// answers is misanswered with a given load.
func (s *site) answers(l *load, rules ...layertest.Rule) {
	s.t.Helper()
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
