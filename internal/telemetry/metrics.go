package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/catflap/catflap/proxy"
)

// Metrics are Catflap's own, on a registry of their own.
type Metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	sockets    *socketMetrics
	events     *prometheus.CounterVec
	sessions   *prometheus.CounterVec
	reloads    *prometheus.CounterVec
	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge
	refused    prometheus.Counter

	// allowed and took hold the children of the frequent labels, so that an allowed
	// request looks nothing up by a composed key.
	allowed, took sync.Map
}

// NewMetrics makes and registers everything.
func NewMetrics(version string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "catflap", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "catflap", Name: name, Help: help})
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("requests_total", "Requests by how they ended, their status class and the Cat's endpoint.", "outcome", "class", "route"),
		refusals: counter("refusals_total", "Requests that Catflap answered itself, by the code of the reason.", "code"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "catflap", Name: "request_duration_seconds", Help: "From the head of a request to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"outcome"}),
		sockets:    newSocketMetrics(),
		events:     counter("handler_events_total", "Events of the authentication handlers: cache hits, key fetches, signatures.", "handler", "event"),
		sessions:   counter("session_events_total", "Browser sessions: begun, ended, renewed, refused.", "event"),
		reloads:    counter("config_reloads_total", "Configuration reloads, by their result.", "result"),
		reloadOK:   gauge("config_last_reload_successful", "1 if the last reload was taken, 0 if the one before is still in force."),
		reloadTime: gauge("config_last_reload_success_timestamp_seconds", "When the configuration in force was taken."),
	}
	m.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: "catflap", Name: "connections_refused_total", Help: "Connections closed at once because their address had its share.",
	})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "catflap", Name: "build_info", Help: "1, labelled with what runs."}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.requests, m.refusals, m.durations, m.events, m.sessions, m.reloads, m.reloadOK, m.reloadTime,
		m.refused, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.sockets.collectors()...)
	m.beginAtZero()
	return m
}

// Handler serves the metrics in the Prometheus formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

type requestKey struct {
	outcome proxy.Outcome
	class   int
	route   string
}

// Exchange counts an exchange.
func (m *Metrics) Exchange(r *proxy.Record) {
	key := requestKey{r.Outcome, r.Status / 100, r.Route}
	count, ok := m.allowed.Load(key)
	if !ok {
		count, _ = m.allowed.LoadOrStore(key, m.requests.WithLabelValues(string(key.outcome), class(key.class), route(key.route)))
	}
	count.(prometheus.Counter).Inc()
	took, ok := m.took.Load(r.Outcome)
	if !ok {
		took, _ = m.took.LoadOrStore(r.Outcome, m.durations.WithLabelValues(string(r.Outcome)))
	}
	took.(prometheus.Observer).Observe(r.Duration.Seconds())
	if r.Code != "" {
		m.refusals.WithLabelValues(string(r.Code)).Inc()
	}
}

func class(c int) string {
	if c < 1 || c > 5 {
		return "none"
	}
	return strconv.Itoa(c) + "xx"
}

func route(pattern string) string {
	if pattern == "" {
		return "none"
	}
	return pattern
}

// HandlerEvents returns the counter of one handler's events. Their names are a
// small fixed set; those that are given begin at zero.
func (m *Metrics) HandlerEvents(handler string, events ...string) func(event string) {
	for _, event := range events {
		m.events.WithLabelValues(handler, event)
	}
	var known sync.Map
	return func(event string) {
		c, ok := known.Load(event)
		if !ok {
			c, _ = known.LoadOrStore(event, m.events.WithLabelValues(handler, event))
		}
		c.(prometheus.Counter).Inc()
	}
}

// SessionEvents returns the counter of what happens to browser sessions. The names
// are a small fixed set.
func (m *Metrics) SessionEvents() func(event string) {
	return func(event string) { m.sessions.WithLabelValues(event).Inc() }
}

// Reloaded notes a reload and its result. at is in Unix seconds.
func (m *Metrics) Reloaded(taken bool, at float64) {
	if !taken {
		m.reloads.WithLabelValues("refused").Inc()
		m.reloadOK.Set(0)
		return
	}
	m.reloads.WithLabelValues("taken").Inc()
	m.reloadOK.Set(1)
	m.reloadTime.Set(at)
}

// ConnectionRefused counts a connection whose address had its share of them.
func (m *Metrics) ConnectionRefused() { m.refused.Inc() }

// Ready has the metrics ask for readiness at each scrape. It is called once.
func (m *Metrics) Ready(ready func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: "catflap", Name: "ready", Help: "1 if Catflap is ready, as /readyz tells."},
		func() float64 {
			if ready() {
				return 1
			}
			return 0
		}))
}
