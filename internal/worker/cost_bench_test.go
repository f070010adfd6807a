package worker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/failpoint"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// BenchmarkCost measures what a mechanism costs: five hundred tasks are enqueued and executed by a running worker, with it and
// without it in turns. The tasks make no call, so that nothing hides the cost.
//
//	test/with-redis go test -tags faults -run '^$' -bench Cost -benchtime 40x ./internal/worker
func BenchmarkCost(b *testing.B) {
	unordered := tasks.Unordered()
	same := func() tasks.Option { return unordered }
	for _, c := range []struct {
		name   string
		option func() tasks.Option   // of a task with it
		out    []failpoint.Mechanism // what is left out without it
	}{
		{"marker and recovery", same, []failpoint.Mechanism{failpoint.Marker, failpoint.Recovery}},
		{"lane", func() tasks.Option { return tasks.Lane(uuid.NewString()) }, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			if c.out != nil && !failpoint.Leave() {
				b.Skip("needs the build tag faults")
			}
			r := newCostRig(b)
			with := func() time.Duration { return r.turn(b, c.option) }
			without := func() time.Duration {
				failpoint.Leave(c.out...)
				defer failpoint.Leave()
				return r.turn(b, same)
			}
			with()
			without() // connections and caches are warm
			b.ResetTimer()
			var long, short, shares []float64
			for i := range b.N {
				var l, s time.Duration
				if i%2 == 0 {
					l, s = with(), without()
				} else {
					s, l = without(), with()
				}
				long, short = append(long, l.Seconds()), append(short, s.Seconds())
				shares = append(shares, s.Seconds()/l.Seconds())
			}
			b.StopTimer()
			// Medians: what else the machine does in one turn is not the mechanism's cost.
			b.ReportMetric(costTurn/median(long), "with/s")
			b.ReportMetric(costTurn/median(short), "without/s")
			b.ReportMetric(100*median(shares), "%")
		})
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// costTurn is how many tasks go with a mechanism before as many go without it.
const costTurn = 500

// A costRig is a producer and a worker whose tasks do nothing.
type costRig struct {
	client  *tasks.Client
	task    tasks.Task
	settled chan struct{}
}

func newCostRig(b *testing.B) *costRig {
	b.Helper()
	srv := layertest.NewServer(b)
	client, err := tasks.NewClientFromRedis(redistest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	r := &costRig{client, hello(srv.AddConversation("alice", "bob")), make(chan struct{}, costTurn)}
	stop := benchWorker(b, srv.Client(b), func(context.Context, uuid.UUID, tasks.Task, int) (tasks.Result, error) {
		return tasks.Result{}, nil
	}, func() { r.settled <- struct{}{} })
	b.Cleanup(stop)
	return r
}

// turn is how long it takes to enqueue and execute the tasks of a turn.
func (r *costRig) turn(b *testing.B, option func() tasks.Option) time.Duration {
	b.Helper()
	requests := make([]tasks.Request, costTurn)
	for i := range requests {
		requests[i] = tasks.Request{Task: r.task, Options: []tasks.Option{option()}}
	}
	start := time.Now()
	answers, err := r.client.EnqueueMany(b.Context(), requests)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			b.Fatal(a.Err)
		}
	}
	for range costTurn {
		<-r.settled
	}
	return time.Since(start)
}
