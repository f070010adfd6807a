package worker

import (
	"context"
	"sync"
	"time"

	"github.com/layerq/layerq/internal/queue"
)

// longestTime is how old the longest lane may be: to find it Redis looks at every lane.
const longestTime = 10 * time.Second

// A longestLane looks for the longest lane of all queues, at most once in longestTime.
type longestLane struct {
	queues *queueCache
	find   func(context.Context, string) (*queue.Longest, error)

	mu   sync.Mutex // also held while looking: the others wait for that look
	at   time.Time
	lane *queue.Longest
	err  error
}

func (l *longestLane) get(ctx context.Context) (*queue.Longest, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.at) < longestTime {
		return l.lane, l.err
	}
	// What the others wait for does not end with the first who asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTimeout)
	defer cancel()
	l.lane, l.err = l.look(ctx)
	l.at = time.Now()
	return l.lane, l.err
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
func (w *Worker) LongestLane(ctx context.Context) (*queue.Longest, error) { return w.longest.get(ctx) }
