package telemetry

import "github.com/prometheus/client_golang/prometheus"

// catsUp asks, at each scrape, which of several Cats take their people's requests.
// The label is a host of the configuration.
type catsUp struct {
	desc *prometheus.Desc
	up   func() map[string]bool
}

// Cats has the metrics tell of each Cat that up names, by its host. It is called once.
func (m *Metrics) Cats(up func() map[string]bool) {
	desc := prometheus.NewDesc("catflap_cat_up", "1 if this one of several Cats takes its people's requests, 0 if it is down or open.", []string{"host"}, nil)
	m.registry.MustRegister(&catsUp{desc, up})
}

// Describe implements [prometheus.Collector].
func (c *catsUp) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements [prometheus.Collector].
func (c *catsUp) Collect(to chan<- prometheus.Metric) {
	for host, up := range c.up() {
		value := 0.0
		if up {
			value = 1
		}
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, value, host)
	}
}
