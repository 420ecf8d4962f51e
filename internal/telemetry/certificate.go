package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificate has the metrics tell when Catflap's own certificate ends. A zero time
// means that there is none. It is called once.
func (m *Metrics) Certificate(ends func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "catflap", Name: "tls_certificate_expiry_timestamp_seconds", Help: "When the certificate that Catflap serves expires; 0 if it serves none.",
	}, func() float64 {
		end := ends()
		if end.IsZero() {
			return 0
		}
		return float64(end.Unix())
	}))
}
