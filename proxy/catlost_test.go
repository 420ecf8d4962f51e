package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// TestCodesNameTheFault: what is wrong with the Cat, and what is wrong with the store,
// are told by the same code on sockets and over HTTP.
func TestCodesNameTheFault(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	store := &session.StoreError{Err: errors.New("redis: connection refused")}
	for name, c := range map[string]struct {
		err    error
		status int
		code   authhandlers.Code
	}{
		"refused":                {&chat.DialError{Err: dial(syscall.ECONNREFUSED)}, 502, refusals.CatUnreachable},
		"no such host":           {&chat.DialError{Err: dial(&net.DNSError{Err: "no such host", IsNotFound: true})}, 502, refusals.CatUnreachable},
		"no answer to a SYN":     {&chat.DialError{Err: dial(os.ErrDeadlineExceeded)}, 502, refusals.CatUnreachable},
		"reset":                  {&chat.DialError{Err: syscall.ECONNRESET}, 502, refusals.CatUnreachable},
		"silent handshake":       {&chat.DialError{Err: os.ErrDeadlineExceeded}, 504, refusals.CatTimeout},
		"time is up":             {context.DeadlineExceeded, 504, refusals.CatTimeout},
		"refused key":            {&chat.DialError{Err: &handshakeError{http.StatusForbidden}}, 502, refusals.CatRefusedSocket},
		"no socket there":        {&chat.DialError{Err: &handshakeError{http.StatusNotFound}}, 502, refusals.CatRefusedSocket},
		"nobody can be claimed":  {&chat.ClaimError{Err: errors.New("fleet: redis: connection refused")}, 503, refusals.SessionsUnavailable},
		"nobody knows of an end": {&chat.UnsureError{Err: store}, 503, refusals.SessionsUnavailable},
		"a keyless issuer":       {&chat.UnsureError{Err: errors.New("no keys")}, 503, refusals.AuthenticationUnavailable},
	} {
		if ref := refuseSocket(c.err); ref == nil || ref.status != c.status || ref.code != c.code || ref.public == "" || ref.hint == "" {
			t.Errorf("%s: %+v", name, ref)
		}
	}
	for name, err := range map[string]error{"store": store, "full": fmt.Errorf("a ticket: %w", session.ErrFull), "closed": session.ErrClosed} {
		if ref := refuseAuthentication(err, true); ref.code != refusals.SessionsUnavailable || ref.status != 503 || ref.retry == 0 {
			t.Errorf("%s: %+v", name, ref)
		}
	}
	if ref := refuseLost(dial(os.ErrDeadlineExceeded)); ref.code != refusals.CatUnreachable || ref.rule != "cat.connect_timeout" {
		t.Errorf("a Cat that takes no connection: %+v", ref)
	}
}
