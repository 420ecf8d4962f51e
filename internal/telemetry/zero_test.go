package telemetry

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSeriesBeginAtZero: an alarm on an increase fires at the first event only where
// the series was there before it.
func TestSeriesBeginAtZero(t *testing.T) {
	m := NewMetrics("test")
	m.HandlerEvents("staff", "keys_fetch_failed")
	ready := false
	m.Ready(func() bool { return ready })
	scrape := func() string {
		out := httptest.NewRecorder()
		m.Handler().ServeHTTP(out, httptest.NewRequest("GET", "/metrics", nil))
		return out.Body.String()
	}
	text := scrape()
	for _, want := range []string{
		`catflap_refusals_total{code="cat_unreachable"} 0`, `catflap_refusals_total{code="bad_signature"} 0`,
		`catflap_refusals_total{code="login_loop"} 0`, `catflap_request_duration_seconds_count{outcome="fault"} 0`,
		`catflap_handler_events_total{event="keys_fetch_failed",handler="staff"} 0`, `catflap_session_events_total{event="refresh_failed"} 0`,
		`catflap_config_reloads_total{result="refused"} 0`, `catflap_cat_sockets_total{event="lost"} 0`,
		`catflap_socket_messages_dropped_total{why="cat_gone"} 0`, `catflap_sockets_closed_total{code="1013"} 0`,
		`catflap_socket_messages_total{to="cat"} 0`, "catflap_ready 0",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
	ready = true
	if !strings.Contains(scrape(), "catflap_ready 1\n") {
		t.Error("readiness is not asked for at a scrape")
	}
}
