package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

func gather(t *testing.T, m *Metrics) []*dto.MetricFamily {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// counted sums layerq_tasks_total over types and queues.
func counted(t *testing.T, m *Metrics, outcome string) float64 {
	t.Helper()
	return valueOf(t, m, "layerq_tasks_total", map[string]string{"outcome": outcome})
}

// valueOf sums the samples of a family that have these labels.
func valueOf(t *testing.T, m *Metrics, name string, labels map[string]string) float64 {
	t.Helper()
	var sum float64
	for _, family := range gather(t, m) {
		if family.GetName() != name {
			continue
		}
		for _, sample := range family.GetMetric() {
			matching := 0
			for _, label := range sample.GetLabel() {
				if want, ok := labels[label.GetName()]; ok && want == label.GetValue() {
					matching++
				}
			}
			if matching == len(labels) {
				sum += sample.GetCounter().GetValue() + sample.GetGauge().GetValue() + float64(sample.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// slow makes every call take a while.
func slow(r *rig, d time.Duration) { r.layer.Fault(layertest.Rule{Latency: layertest.Duration(d)}) }

func TestMetrics_tell_what_happened(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := NewMetrics("v1.2.3")
	r.layer.RefuseNext(404)
	p := r.worker(t, func(o *Options) {
		o.Metrics = m
		o.API = r.layer.Client(t, layer.WithObserver(m))
	})
	r.wantState(t, r.enqueue(t, r.say("refused")), tasks.StateArchived)
	r.wantState(t, r.enqueue(t, r.say("sent"), tasks.Queue("critical")), tasks.StateCompleted)
	r.enqueue(t, r.say("later"), tasks.In(time.Hour))
	// A task is in hand until the worker has the answer to what made it completed.
	eventually(t, "nothing is in hand", func() bool { return valueOf(t, m, "layerq_in_flight", nil) == 0 })
	p.queues.mu.Lock()
	p.queues.at = time.Time{} // counted anew
	p.queues.mu.Unlock()

	for _, c := range []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"layerq_tasks_total", map[string]string{"type": "message:send", "queue": "critical", "outcome": "done"}, 1},
		{"layerq_tasks_total", map[string]string{"type": "message:send", "queue": "default", "outcome": "archived"}, 1},
		{"layerq_attempts_total", map[string]string{"type": "message:send", "code": "ok"}, 1},
		{"layerq_attempts_total", map[string]string{"type": "message:send", "code": "not_found"}, 1},
		{"layerq_task_duration_seconds", map[string]string{"type": "message:send"}, 2},
		{"layerq_layer_call_duration_seconds", map[string]string{"operation": "messages.send", "status": "404"}, 1},
		{"layerq_layer_call_duration_seconds", map[string]string{"operation": "messages.send", "status": "201"}, 1},
		{"layerq_queue_tasks", map[string]string{"queue": "default", "state": "archived"}, 1},
		{"layerq_queue_tasks", map[string]string{"queue": "default", "state": "scheduled"}, 1},
		{"layerq_queue_tasks", map[string]string{"queue": "critical", "state": "completed"}, 1},
		{"layerq_queue_paused", nil, 0},
		{"layerq_redis_up", nil, 1},
		{"layerq_concurrency", map[string]string{"queue": "default"}, 8},
		{"layerq_in_flight", nil, 0},
		{"layerq_build_info", map[string]string{"version": "v1.2.3"}, 1},
	} {
		if got := valueOf(t, m, c.name, c.labels); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
}

func TestMetrics_show_a_queue_as_paused_by_hand_or_held(t *testing.T) {
	t.Parallel()
	m := NewMetrics("")
	m.watch(newQueueCache(func(context.Context) ([]queue.Info, error) {
		return []queue.Info{{Queue: "critical", Paused: true}, {Queue: "default", Held: &queue.Hold{}}, {Queue: "bulk"}}, nil
	}), newFlight(nil), nil)
	for name, want := range map[string]float64{"critical": 1, "default": 1, "bulk": 0} {
		if got := valueOf(t, m, "layerq_queue_paused", map[string]string{"queue": name}); got != want {
			t.Errorf("layerq_queue_paused of %s is %v, want %v", name, got, want)
		}
	}
}

func TestMetrics_leave_out_sizes_that_nobody_knows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics("")
		counts := 0
		m.watch(newQueueCache(func(context.Context) ([]queue.Info, error) {
			counts++
			return nil, errors.New("redis is away")
		}), newFlight(nil), map[string]int{"default": 1})
		for _, want := range []int{1, 1, 1, 2} {
			if want > 1 {
				<-time.After(cacheTime)
			}
			up, sizes := valueOf(t, m, "layerq_redis_up", nil), 0
			for _, family := range gather(t, m) {
				if family.GetName() == "layerq_queue_tasks" {
					sizes++
				}
			}
			if up != 0 || sizes != 0 || counts != want {
				t.Errorf("layerq_redis_up is %v, there are sizes: %v, counted %d times, want %d", up, sizes > 0, counts, want)
			}
		}
	})
}

var _ prometheus.Gatherer = NewMetrics("").Gatherer()
