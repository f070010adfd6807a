package worker

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/layerq/layerq/internal/queue"
)

var (
	queueTasksDesc = prometheus.NewDesc("layerq_queue_tasks", "Tasks in a queue by state; of the whole fleet.", []string{"queue", "state"}, nil)
	latencyDesc    = prometheus.NewDesc("layerq_queue_latency_seconds", "How long the oldest pending task of a queue has been pending; of the whole fleet.", []string{"queue"}, nil)
	pausedDesc     = prometheus.NewDesc("layerq_queue_paused", "1 while no worker takes tasks of a queue, by hand or held.", []string{"queue"}, nil)
	redisUpDesc    = prometheus.NewDesc("layerq_redis_up", "1 if Redis answered when the queues were last counted.", nil, nil)
	inFlightDesc   = prometheus.NewDesc("layerq_in_flight", "Tasks that this worker is executing.", []string{"queue"}, nil)
	slotsDesc      = prometheus.NewDesc("layerq_concurrency", "Tasks of a queue that this worker executes at once.", []string{"queue"}, nil)
)

// A queueCollector asks for the queues' sizes when it is scraped. While Redis is
// away it leaves them out: an old number would look like a true one.
type queueCollector struct {
	queues *queueCache
	flight *flight
	slots  map[string]int
}

func (m *Metrics) watch(queues *queueCache, flight *flight, slots map[string]int) {
	m.registry.MustRegister(&queueCollector{queues, flight, slots})
}

// Describe implements prometheus.Collector.
func (c *queueCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{queueTasksDesc, latencyDesc, pausedDesc, redisUpDesc, inFlightDesc, slotsDesc} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *queueCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for name, slots := range c.slots {
		gauge(slotsDesc, float64(slots), name)
		gauge(inFlightDesc, float64(c.flight.now(name)), name)
	}
	infos, err := c.queues.get(context.Background())
	gauge(redisUpDesc, truth(err == nil))
	for _, q := range infos {
		for state, n := range map[queue.State]int{
			queue.Pending: q.Pending, queue.Waiting: q.Waiting, queue.Scheduled: q.Scheduled, queue.Active: q.Active,
			queue.Retry: q.Retry, queue.Archived: q.Archived, queue.Completed: q.Completed,
		} {
			gauge(queueTasksDesc, float64(n), q.Queue, string(state))
		}
		gauge(latencyDesc, q.Latency.Seconds(), q.Queue)
		gauge(pausedDesc, truth(q.Paused || q.Held != nil), q.Queue)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
