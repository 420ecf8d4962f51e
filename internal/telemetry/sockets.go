package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catflap/catflap/proxy/chat"
)

// socketMetrics count what happens to sockets.
type socketMetrics struct {
	opened      prometheus.Counter
	open        prometheus.Gauge
	closed      *prometheus.CounterVec
	messages    *prometheus.CounterVec
	answers     prometheus.Histogram
	cat         *prometheus.CounterVec
	undelivered *prometheus.CounterVec
}

func newSocketMetrics() *socketMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "catflap", Name: name, Help: help}, labels)
	}
	return &socketMetrics{
		opened:   prometheus.NewCounter(prometheus.CounterOpts{Namespace: "catflap", Name: "sockets_opened_total", Help: "WebSockets opened."}),
		open:     prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "catflap", Name: "sockets_open", Help: "WebSockets open now."}),
		closed:   counter("sockets_closed_total", "WebSockets closed, by their close code.", "code"),
		messages: counter("socket_messages_total", "Messages of sockets that have closed, by where they went.", "to"),
		answers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "catflap", Name: "socket_answer_seconds", Help: "From a message of a client to the first word of its answer, in shared sessions.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}),
		cat:         counter("cat_sockets_total", "What happened to the sockets at the Cat of shared sessions.", "event"),
		undelivered: counter("socket_messages_dropped_total", "Messages that were not delivered or may not have been, by why; somebody was told of each.", "why"),
	}
}

func (m *socketMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.opened, m.open, m.closed, m.messages, m.answers, m.cat, m.undelivered}
}

// Socket counts what happened to a socket.
func (m *Metrics) Socket(e chat.Event) {
	s := m.sockets
	switch e.Kind {
	case chat.EventOpen:
		s.opened.Inc()
		s.open.Inc()
	case chat.EventClose:
		s.open.Dec()
		s.closed.WithLabelValues(closeCode(e.Code)).Inc()
		s.messages.WithLabelValues("cat").Add(float64(e.FromClient))
		s.messages.WithLabelValues("client").Add(float64(e.FromCat))
	case chat.EventAnswer:
		s.answers.Observe(e.Duration.Seconds())
	case chat.EventCatOpen:
		s.cat.WithLabelValues("opened").Inc()
	case chat.EventCatLost:
		s.cat.WithLabelValues("lost").Inc()
	case chat.EventCatBack:
		s.cat.WithLabelValues("reconnected").Inc()
	case chat.EventMoved:
		s.cat.WithLabelValues("moved").Inc()
	case chat.EventCatEnd:
		s.cat.WithLabelValues("closed").Inc()
	case chat.EventUndelivered:
		s.undelivered.WithLabelValues("cat_gone").Inc()
	case chat.EventMissed:
		s.undelivered.WithLabelValues("nobody_there").Inc()
	case chat.EventRefused:
		s.undelivered.WithLabelValues("too_fast").Inc()
	}
}

// closeCode keeps the codes that clients may choose freely to one label.
func closeCode(code int) string {
	switch {
	case code >= 1000 && code <= 1015, code >= 4400 && code <= 4410:
		return strconv.Itoa(code)
	}
	return "other"
}

// Sockets shows what the hub holds at the moment of asking. It is called once.
func (m *Metrics) Sockets(stats func() chat.Stats) {
	gauge := func(name, help string, labels prometheus.Labels, value func(chat.Stats) int64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: "catflap", Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value(stats())) }))
	}
	const help = "Sockets at the Cat of shared sessions, by their state; those that linger are among the open ones."
	for state, value := range map[string]func(chat.Stats) int64{
		"open":      func(s chat.Stats) int64 { return int64(s.CatOpen) },
		"lost":      func(s chat.Stats) int64 { return int64(s.CatLost) },
		"lingering": func(s chat.Stats) int64 { return int64(s.Lingering) },
	} {
		gauge("cat_sockets", help, prometheus.Labels{"state": state}, value)
	}
	const others = "With several Catflaps, sessions by way of another: people whose socket at the Cat another has (relayed), and other Catflaps' clients of a person whose socket is here (guests)."
	gauge("fleet_sessions", others, prometheus.Labels{"kind": "relayed"}, func(s chat.Stats) int64 { return int64(s.Relayed) })
	gauge("fleet_sessions", others, prometheus.Labels{"kind": "guests"}, func(s chat.Stats) int64 { return int64(s.Guests) })
	const turns = "With cat.max_turns, turns at the Cat: under way, and waiting for a place."
	gauge("cat_turns", turns, prometheus.Labels{"state": "under_way"}, func(s chat.Stats) int64 { return int64(s.TurnsAtCat) })
	gauge("cat_turns", turns, prometheus.Labels{"state": "waiting"}, func(s chat.Stats) int64 { return int64(s.TurnsWaiting) })
	gauge("socket_held_bytes", "Bytes of messages of shared sessions that are in memory.", nil, func(s chat.Stats) int64 { return s.BytesInQueue })
}
