package holds

import "github.com/prometheus/client_golang/prometheus"

var (
	heldDesc  = prometheus.NewDesc("layerq_held", "1 while this worker takes no tasks because of that.", []string{"reason"}, nil)
	holdsDesc = prometheus.NewDesc("layerq_holds_total", "Holds of the fleet that this worker was the first to find a reason for.", []string{"reason"}, nil)
)

// Describe implements [prometheus.Collector].
func (k *Keeper) Describe(ch chan<- *prometheus.Desc) {
	ch <- heldDesc
	ch <- holdsDesc
}

// Collect implements [prometheus.Collector].
func (k *Keeper) Collect(ch chan<- prometheus.Metric) {
	s := k.Snapshot()
	for _, reason := range reasons {
		held := 0.0
		if s.Reason == reason {
			held = 1
		}
		ch <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, held, string(reason))
		ch <- prometheus.MustNewConstMetric(holdsDesc, prometheus.CounterValue, float64(s.Began[reason]), string(reason))
	}
}
