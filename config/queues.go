package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/layerq/layerq/internal/nearest"
	"github.com/layerq/layerq/internal/queue"
)

// Queue is a queue that a worker serves.
type Queue struct {
	Name        string // "critical", "default" or "bulk"
	Concurrency int    // how many of its tasks run at once in this process; 1 to 10000
}

// MaxConcurrency is the most tasks of one queue that a process runs at once:
// each may hold a connection, and systems rarely allow a process more.
const MaxConcurrency = 10_000

// ParseQueues reads LAYERQ_QUEUES: queues with their concurrency, such as
// "critical=16,default=32", in the order given. Each queue may be named once.
func ParseQueues(s string) ([]Queue, error) {
	var queues []Queue
	for item := range strings.SplitSeq(s, ",") {
		name, count, hasCount := strings.Cut(strings.TrimSpace(item), "=")
		if name == "" && !hasCount {
			return nil, errors.New("has an empty entry")
		}
		if !slices.Contains(queue.Names, name) {
			return nil, unknownQueue(name)
		}
		if !hasCount {
			return nil, fmt.Errorf("says for queue %s not how many of its tasks run at once: write %s=N", name, name)
		}
		n, err := parseConcurrency(count)
		if err != nil {
			return nil, fmt.Errorf("the concurrency %q of queue %s %w", count, name, err)
		}
		if slices.ContainsFunc(queues, func(q Queue) bool { return q.Name == name }) {
			return nil, fmt.Errorf("names queue %s twice", name)
		}
		queues = append(queues, Queue{Name: name, Concurrency: n})
	}
	return queues, nil
}

func parseConcurrency(s string) (int, error) {
	if s == "" {
		return 0, errors.New("is empty")
	}
	return parseCount(s, 1, MaxConcurrency)
}

func unknownQueue(name string) error {
	if meant := nearest.To(name, queue.Names); meant != "" {
		return fmt.Errorf("names an unknown queue %q, did you mean %s?", name, meant)
	}
	return fmt.Errorf("names an unknown queue %q", name)
}

var allowedQueues = fmt.Sprintf("NAME=N,... with each of the queues %s at most once and N from 1 to %d", strings.Join(queue.Names, ", "), MaxConcurrency)

// String returns the queue as [ParseQueues] takes it.
func (q Queue) String() string { return q.Name + "=" + strconv.Itoa(q.Concurrency) }
