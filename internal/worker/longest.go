package worker

import (
	"context"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// longestTime is how old the longest lane may be: to find it Redis looks at every lane.
const longestTime = 10 * time.Second

// A longestLane looks for the longest lane of all queues.
type longestLane struct {
	queues *queueCache
	find   func(context.Context, string) (*queue.Longest, error)
}

// cached looks at most once in longestTime.
func (l *longestLane) cached() *look[*queue.Longest] {
	return &look[*queue.Longest]{ask: l.look, keep: longestTime}
}

func (l *longestLane) look(ctx context.Context) (*queue.Longest, error) {
	infos, err := l.queues.get(ctx)
	if err != nil {
		return nil, err
	}
	var longest *queue.Longest
	for _, q := range infos {
		if q.Waiting == 0 || longest != nil && q.Waiting <= longest.Waiting {
			continue
		}
		lane, err := l.find(ctx, q.Queue)
		if err != nil {
			return nil, err
		}
		if lane != nil && (longest == nil || lane.Waiting > longest.Waiting) {
			longest = lane
		}
	}
	return longest, nil
}

// LongestLane returns the lane of all queues in which most tasks wait, not older than ten seconds; nil if none does.
// It returns when ctx ends at the latest.
func (w *Worker) LongestLane(ctx context.Context) (*queue.Longest, error) { return w.longest.get(ctx) }
