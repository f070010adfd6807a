package worker

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/layerq/layerq/layer"
)

// callBuckets reach from a server next door to the timeout of one attempt.
var callBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are a worker's numbers in a registry of their own. Hand it to [New] in
// Options, and as an observer to the client that the worker uses.
type Metrics struct {
	registry *prometheus.Registry

	tasks     *prometheus.CounterVec
	attempts  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	calls     *prometheus.HistogramVec
}

// NewMetrics returns empty metrics of a worker of this version.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		tasks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "layerq_tasks_total",
			Help: "Executions of tasks by what became of the task: done, done_before (which could not be written down then), retry, hold, archived, expired, invalid, panicked, poison, handed_back, lost (its lease ended).",
		}, []string{"type", "queue", "outcome"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "layerq_attempts_total",
			Help: "Executions that Layer answered, by its error code, or ok.",
		}, []string{"type", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "layerq_task_duration_seconds", Buckets: callBuckets,
			Help: "How long one execution of a task took, with all its calls.",
		}, []string{"type"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "layerq_layer_call_duration_seconds", Buckets: callBuckets,
			Help: "How long one HTTP attempt at Layer took, by operation and by status, or by what went wrong.",
		}, []string{"operation", "status"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "layerq_build_info", Help: "1, with the version of layerq and Go.",
	}, []string{"version", "go_version"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.tasks, m.attempts, m.durations, m.calls, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gatherer returns what /metrics serves.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Register adds numbers of something else that the process does. It panics if their
// names are taken.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// ObserveAttempt implements layer.Observer.
func (m *Metrics) ObserveAttempt(_ context.Context, a layer.Attempt) {
	status := string(a.Kind)
	if a.Status != 0 {
		status = strconv.Itoa(a.Status)
	}
	m.calls.WithLabelValues(a.Operation, status).Observe(a.Duration.Seconds())
}

func (m *Metrics) finished(d *delivery, outcome string, took time.Duration) {
	m.tasks.WithLabelValues(typeLabel(d.Message.Type), d.Queue, outcome).Inc()
	if took > 0 {
		m.durations.WithLabelValues(typeLabel(d.Message.Type)).Observe(took.Seconds())
	}
}

func (m *Metrics) attempted(d *delivery, code string) {
	m.attempts.WithLabelValues(typeLabel(d.Message.Type), code).Inc()
}
