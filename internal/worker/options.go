package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/permits"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// Options are what a [Worker] needs. Fields without a default are required.
type Options struct {
	// Redis holds the queues. The worker puts its dequeue hook on this client, so
	// nothing else may use it. It stays the caller's to close.
	Redis redis.UniversalClient
	// Status is another client of the same Redis, for health and for counting
	// the queues: these must not wait behind tasks. It stays the caller's to
	// close.
	Status redis.UniversalClient
	// API executes the tasks.
	API *layer.Client
	// Sources says where the content of messages may come from. Nil is what the
	// zero tasks.Sources says.
	Sources *tasks.Sources
	// Holds keeps the worker away from Layer while the fleet is held; the limiter of
	// API must be of the same. Nil for none. It stays the caller's to close.
	Holds *holds.Keeper
	// Permits keep tasks in their queues while there is no call to be made with them; the
	// limiter of API is theirs too. Nil where there is no limit.
	Permits *permits.Limiter
	// Queues says how many tasks of each queue run at once; see queue.Names.
	Queues map[string]int

	// MaxAttempts is how many attempts Layer may answer with a failure before a
	// task is archived. Defaults to 25.
	MaxAttempts int
	// RetryMin and RetryMax are the first and the longest backoff. They default to
	// 1 s and 10 min.
	RetryMin, RetryMax time.Duration
	// Timeout bounds one execution with all its calls and their repetitions,
	// beside the time that Sources gives to uploads. Defaults to 5 min.
	Timeout time.Duration
	// DrainTimeout is how long Run waits for running tasks when it is to stop,
	// and how long a result is tried to be recorded. Defaults to 25 s.
	DrainTimeout time.Duration
	// Retention is how long finished tasks are kept whose producer did not say.
	// Defaults to 24 h.
	Retention time.Duration

	// Metrics gets what happens. Defaults to metrics that nobody sees.
	Metrics *Metrics
	// Log gets lines about tasks that fail, outages and the drain; never what is
	// in a task. Defaults to discarding.
	Log *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Redis == nil || o.Status == nil || o.API == nil {
		return o, errors.New("worker: Redis, Status and API are required")
	}
	if len(o.Queues) == 0 {
		return o, errors.New("worker: no queues")
	}
	for name, concurrency := range o.Queues {
		if !slices.Contains(queue.Names, name) || concurrency < 1 {
			return o, fmt.Errorf("worker: queue %q with concurrency %d: want one of %v with at least 1", name, concurrency, queue.Names)
		}
	}
	o.MaxAttempts = orDefault(o.MaxAttempts, 25)
	o.RetryMin = orDefault(o.RetryMin, time.Second)
	o.RetryMax = orDefault(o.RetryMax, 10*time.Minute)
	o.Timeout = orDefault(o.Timeout, 5*time.Minute)
	o.DrainTimeout = orDefault(o.DrainTimeout, 25*time.Second)
	o.Retention = orDefault(o.Retention, 24*time.Hour)
	if o.Sources == nil {
		sources, err := tasks.NewSources(tasks.Sources{})
		if err != nil {
			return o, err
		}
		o.Sources = sources
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics("")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func orDefault[T int | time.Duration](given, def T) T {
	if given <= 0 {
		return def
	}
	return given
}

// queueList is what LAYERQ_QUEUES would say, the most important queue first.
func (o *Options) queueList() string {
	var list []string
	for _, name := range queue.Names {
		if n, ok := o.Queues[name]; ok {
			list = append(list, name+"="+strconv.Itoa(n))
		}
	}
	return strings.Join(list, ",")
}
