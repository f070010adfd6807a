package queue_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redistest"
)

func TestLongestLane(t *testing.T) {
	t.Parallel()
	s := queue.NewStore(redistest.New(t))
	want := func(want *queue.Longest) {
		t.Helper()
		got, err := s.LongestLane(t.Context(), queue.Default)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	want(nil)
	// Enough lanes for Redis to be asked more than once.
	var entries []queue.Entry
	join := func(lane string) string {
		m := message(queue.Default)
		entries = append(entries, queue.Entry{Message: m, Lane: lane})
		return m.ID
	}
	enqueue := func() {
		t.Helper()
		if _, err := s.Enqueue(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		entries = nil
	}
	var heads []string
	for lane := range 1500 {
		heads = append(heads, join(fmt.Sprintf("lane %d", lane)))
	}
	enqueue()
	want(nil)
	for _, lane := range []int{17, 17, 1400, 1400, 1400} {
		join(fmt.Sprintf("lane %d", lane))
	}
	enqueue()
	want(&queue.Longest{Queue: queue.Default, Name: "lane 1400", Waiting: 3, Head: heads[1400], State: "pending"})
}
