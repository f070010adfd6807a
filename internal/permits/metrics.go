package permits

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/layerq/layerq/layer"
)

// counters are what a snapshot does not tell: what has happened so far.
type counters struct {
	wait      *prometheus.HistogramVec
	refused   prometheus.Counter
	exchanges *prometheus.CounterVec
}

func newCounters() *counters {
	return &counters{
		wait: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "layerq_permits_wait_seconds", Buckets: []float64{.001, .01, .1, .5, 1, 5, 15, 60, 300, 1800},
			Help: "How long one call waited for its permit, by the queue of its task.",
		}, []string{"queue"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "layerq_permits_refused_total",
			Help: "Calls of this process that had a permit and that Layer answered with 429 all the same.",
		}),
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "layerq_permits_exchanges_total",
			Help: "How often this process asked Redis for permits, by result: answered, failed.",
		}, []string{"result"}),
	}
}

func (c *counters) answered(a layer.Answer) {
	if a.Status == http.StatusTooManyRequests {
		c.refused.Inc()
	}
}

func (c *counters) exchanged(err error) {
	result := "answered"
	if err != nil {
		result = "failed"
	}
	c.exchanges.WithLabelValues(result).Inc()
}

var (
	descLimit = prometheus.NewDesc("layerq_permits_limit",
		"Calls that may be made in a window: by the fleet, or by this worker while Redis does not answer.", nil, nil)
	descWindow = prometheus.NewDesc("layerq_permits_window_seconds", "The length of the window.", nil, nil)
	descInUse  = prometheus.NewDesc("layerq_permits_in_use",
		"Permits that are in use, or not free again yet: of the fleet, or of this worker while Redis does not answer.", nil, nil)
	descWorkers = prometheus.NewDesc("layerq_permits_workers", "Workers that share the limit.", nil, nil)
	descWaiting = prometheus.NewDesc("layerq_permits_waiting",
		"Calls of this process that wait for their permit, by the queue of their task.", []string{"queue"}, nil)
	descAlone = prometheus.NewDesc("layerq_permits_alone",
		"1 while Redis does not answer and this worker goes on with its share, else 0.", nil, nil)
)

// Describe implements prometheus.Collector.
func (l *Limiter) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descLimit, descWindow, descInUse, descWorkers, descWaiting, descAlone} {
		ch <- desc
	}
	l.count.wait.Describe(ch)
	l.count.refused.Describe(ch)
	l.count.exchanges.Describe(ch)
}

// Collect implements prometheus.Collector.
func (l *Limiter) Collect(ch chan<- prometheus.Metric) {
	s := l.Snapshot()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	alone := 0.0
	if s.Source == Local {
		alone = 1
	}
	gauge(descLimit, float64(s.Limit.N))
	gauge(descWindow, l.per.Seconds())
	gauge(descInUse, float64(s.Taken))
	gauge(descWorkers, float64(s.Workers))
	gauge(descAlone, alone)
	for queue, n := range s.Waiting {
		gauge(descWaiting, float64(n), queue)
	}
	l.count.wait.Collect(ch)
	l.count.refused.Collect(ch)
	l.count.exchanges.Collect(ch)
}
