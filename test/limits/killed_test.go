//go:build limits && linux

package limits

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/test/rig"
)

// One of three workers is killed with -9 while its tasks wait for permits, and others wait behind them in the queue. They are
// done within 40 s of that, by the others; what these had in their hands is run once.
func TestKilledWhileTasksWaitForPermits(t *testing.T) {
	t.Parallel()
	const (
		limit, perSecond = "10/2s", 5
		places           = 8 // of a worker: in queue critical all of them are taken, and wait
		inTime           = 40 * time.Second
		// No lease of the killed worker ends before that, and what the others have is done by then.
		before = 20 * time.Second
		// Each has a conversation of its own.
		all = int(inTime/time.Second)*perSecond + 3*places
	)
	s := newSite(t, "LAYERQ_RATE_LIMIT="+limit, "LAYERQ_CRITICAL_RESERVE=0%", "LAYERQ_QUEUES=critical=8")
	s.emulator.Limit(limit)
	ids := s.enqueue(all, queue.Critical)
	s.Start(3)
	victim := s.Living()[1]
	rig.Eventually(t, 20*time.Second, "every worker is full, and the limit is used up", func() bool {
		return s.queue(queue.Critical).Active == 3*places && len(s.arrivals()) > 2*perSecond
	})
	victim.Kill()
	killed := time.Now()
	inHand := make(map[uuid.UUID]bool)
	for _, text := range rig.Read(t, s.redis.Client.LRange(t.Context(), queue.ActiveKey(queue.Critical), 0, -1)) {
		inHand[uuid.MustParse(text)] = true
	}
	rig.Eventually(t, 2*time.Minute, "all are done", func() bool { return s.queue(queue.Critical).Completed == len(ids) })

	calls := s.callsByTask()
	var lost int
	var last time.Duration
	for _, id := range ids {
		made := calls[id]
		if len(made) == 0 {
			t.Fatalf("task %s is done without a call", id)
		}
		deliveries, err := s.redis.Client.HGet(t.Context(), queue.TaskKey(queue.Critical, id.String()), queue.FieldDeliveries).Int()
		if err != nil {
			t.Fatal(err)
		}
		final := made[len(made)-1].Sub(killed)
		if !inHand[id] || final < before {
			if deliveries != 1 || len(made) != 1 {
				t.Errorf("task %s was not the killed worker's, and was taken %d times, with %d calls", id, deliveries, len(made))
			}
			continue
		}
		lost++
		last = max(last, final)
		if deliveries != 2 || len(made) > 2 {
			t.Errorf("task %s was the killed worker's, and was taken %d times, with %d calls", id, deliveries, len(made))
		}
		if len(made) == 2 { // the one call that may have been under way
			t.Logf("task %s had been called %v before the kill", id, killed.Sub(made[0]))
		}
	}
	got := s.arrivals()
	t.Logf("%d tasks were the killed worker's, the last of them was called %.1f s after the kill; %d refused of %d", lost, last.Seconds(), got.refused(), len(got))
	if lost == 0 || lost > places {
		t.Errorf("%d tasks were the killed worker's, which had %d places", lost, places)
	}
	if last > inTime {
		t.Errorf("a task of the killed worker was called %.1f s after the kill, want %s", last.Seconds(), inTime)
	}
	if got.refused() > 0 {
		t.Errorf("%d calls were refused", got.refused())
	}
}

// callsByTask is when the messages of each task arrived.
func (s *site) callsByTask() map[uuid.UUID][]time.Time {
	s.t.Helper()
	calls := make(map[uuid.UUID][]time.Time)
	for _, r := range s.emulator.Requests(conversations) {
		if id, err := uuid.Parse(r.Dedupe); err == nil && r.Method == http.MethodPost {
			calls[id] = append(calls[id], r.At)
		}
	}
	return calls
}
