package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Guests has the metrics tell how many guests have a place in this process. It is
// called once.
func (m *Metrics) Guests(count func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "catflap", Name: "guests", Help: "Guests that have a place in this Catflap; 0 without a handler for guests.",
	}, func() float64 { return float64(count()) }))
}
