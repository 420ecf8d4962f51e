package app

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestOutboundPostsOverAFreshConnection: what can't be sent again never goes over a
// connection that the server may be about to close.
func TestOutboundPostsOverAFreshConnection(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := outbound()
	t.Cleanup(client.CloseIdleConnections)
	post := func() {
		t.Helper()
		resp, err := client.Post(server.URL, "application/x-www-form-urlencoded", strings.NewReader("code=once"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	post()
	time.Sleep(outboundIdle + 100*time.Millisecond)
	post()
	if n := opened.Load(); n != 2 {
		t.Errorf("%d connections for two posts with a pause between them", n)
	}
}
