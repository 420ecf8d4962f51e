package telemetry

import (
	"strconv"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// beginAtZero makes the children of each small set of labels. A series that appears
// with its first event has no increase, so that an alarm on it misses that event.
func (m *Metrics) beginAtZero() {
	for _, code := range refusals.Codes() {
		m.refusals.WithLabelValues(string(code))
	}
	for _, outcome := range proxy.Outcomes() {
		m.durations.WithLabelValues(string(outcome))
	}
	for _, event := range session.Events() {
		m.sessions.WithLabelValues(event)
	}
	for _, result := range [...]string{"taken", "refused"} {
		m.reloads.WithLabelValues(result)
	}
	m.sockets.beginAtZero()
}

func (s *socketMetrics) beginAtZero() {
	for _, code := range [...]int{
		websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseProtocolError, websocket.CloseAbnormalClosure,
		websocket.ClosePolicyViolation, websocket.CloseMessageTooBig, websocket.CloseInternalServerErr, websocket.CloseServiceRestart,
		websocket.CloseTryAgainLater, 4401, 4403,
	} {
		s.closed.WithLabelValues(strconv.Itoa(code))
	}
	for _, to := range [...]string{"cat", "client"} {
		s.messages.WithLabelValues(to)
	}
	for _, event := range [...]string{"opened", "lost", "reconnected", "moved", "closed"} {
		s.cat.WithLabelValues(event)
	}
	for _, why := range [...]string{"cat_gone", "nobody_there", "too_fast"} {
		s.undelivered.WithLabelValues(why)
	}
}
