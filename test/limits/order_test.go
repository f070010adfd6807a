//go:build limits && linux

package limits

import (
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/test/rig"
)

// Twenty conversations of a hundred messages, two workers, one of twenty calls fails, with or
// without having sent the message: in order, none twice.
func TestOrder(t *testing.T) { //nolint:paralleltest // it takes all of two processors for some seconds
	s := newSite(t, "LAYERQ_RETRY_MIN=100ms", "LAYERQ_RETRY_MAX=1s")
	s.emulator.Faults(sometimes(0.05,
		layertest.Rule{Status: 503}, layertest.Rule{Status: 503, AfterCommit: true},
		layertest.Rule{DropConnection: true}, layertest.Rule{DropConnection: true, AfterCommit: true})...)
	b := s.book()
	s.Start(2)
	b.send(1000, 20)
	b.send(1000, 20)
	b.allDone(time.Minute)
	failed := 0
	calls := s.calls(time.Time{}, time.Now())
	for _, r := range calls {
		if r.Status == 0 || r.Status == 503 {
			failed++
		}
	}
	t.Logf("%d of %d calls failed", failed, len(calls))
	if failed < len(calls)/40 {
		t.Errorf("%d of %d calls failed, which proves little", failed, len(calls))
	}
	b.judge(20)
}

// One conversation has five thousand messages before five hundred others get one each: those are
// done first, and meanwhile the long one goes on.
func TestHotLane(t *testing.T) { //nolint:paralleltest // it takes all of two processors for some seconds
	const hot, single = 5000, 500
	s := newSite(t)
	busy := s.room()
	b := s.book()
	b.sendTo(busy, hot)
	b.send(single, single)
	began := time.Now()
	s.Start(2)
	others := func(a arrivals) int { return len(a) - a.to(busy) }
	if page := s.admin(s.Living()[0], "/"); !strings.Contains(page, "Longest lane: <code>conversation:"+busy.UUID().String()+"</code>") {
		t.Errorf("the start page does not show the long one:\n%s", page)
	}
	rig.Eventually(t, time.Minute, "the others are done", func() bool { return others(s.arrivals()) == single })
	took := time.Since(began)
	all := s.arrivals()
	last := len(all)
	for others(all[:last-1]) == single {
		last--
	}
	before := all[:last].to(busy)
	t.Logf("%d others done after %.1f s, beside %d of the long one", single, took.Seconds(), before)
	if before == 0 || before > hot/5 {
		t.Errorf("%d messages of the long one went before the last of the others", before)
	}
	if *long {
		b.done(2*time.Minute, 1)
	}
}
