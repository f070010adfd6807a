package worker

import (
	"context"
	"errors"
	"testing"

	"github.com/layerq/layerq/internal/queue"
)

func TestLongestLane(t *testing.T) {
	t.Parallel()
	counted := func(waiting ...int) *queueCache {
		return newQueueCache(func(context.Context) (infos []queue.Info, err error) {
			for i, n := range waiting {
				infos = append(infos, queue.Info{Queue: queue.Names[i], Waiting: n})
			}
			return infos, nil
		})
	}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		waiting []int
		lanes   map[string]int // longest of each queue
		err     error
		want    string
		looks   int
	}{
		"nobody waits":                           {waiting: []int{0, 0, 0}},
		"the longest of all queues":              {waiting: []int{5, 9, 9}, lanes: map[string]int{queue.Critical: 2, queue.Default: 7, queue.Bulk: 3}, want: queue.Default, looks: 3},
		"a queue that cannot have a longer one":  {waiting: []int{5, 4, 5}, lanes: map[string]int{queue.Critical: 5, queue.Default: 4, queue.Bulk: 5}, want: queue.Critical, looks: 1},
		"all were done between count and look":   {waiting: []int{5, 0, 0}, looks: 1},
		"Redis is gone between count and look":   {waiting: []int{0, 1, 0}, err: broken, looks: 1},
		"the lane of a queue is empty meanwhile": {waiting: []int{5, 6, 0}, lanes: map[string]int{queue.Default: 1}, want: queue.Default, looks: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looks := 0
			l := (&longestLane{queues: counted(c.waiting...), find: func(_ context.Context, name string) (*queue.Longest, error) {
				looks++
				if c.lanes[name] == 0 {
					return nil, c.err
				}
				return &queue.Longest{Queue: name, Waiting: c.lanes[name]}, nil
			}}).cached()
			for range 2 { // the second time it is known
				lane, err := l.get(t.Context())
				got := ""
				if lane != nil {
					got = lane.Queue
				}
				if got != c.want || !errors.Is(err, c.err) {
					t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
				}
			}
			if looks != c.looks {
				t.Errorf("%d looks, want %d", looks, c.looks)
			}
		})
	}
}
