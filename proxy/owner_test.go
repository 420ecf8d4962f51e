package proxy

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/upstream/rawserver"
)

// TestStrangersShareNoConnectionToTheCat: behind one address may be many people. An
// answer that comes late is nobody else's.
func TestStrangersShareNoConnectionToTheCat(t *testing.T) {
	w := rawserver.New(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
		late := ""
		for r, ok := next(); ok; r, ok = next() {
			if late == "" {
				rawserver.Echo(c, r)
			} else {
				_, _ = io.WriteString(c, late) // with the request there, nothing tells it from the answer
			}
			late = rawserver.EvilAnswer
		}
	})
	l := newLab(t, func(o *Options) { o.Cats = catAt(t, w.Base()) })
	for _, path := range []string{"/custom/public/a", "/custom/public/b"} {
		own := &http.Transport{}
		resp, err := own.RoundTrip(l.request(t, "GET", path, "", ""))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		own.CloseIdleConnections()
		if resp.StatusCode != 200 || string(body) != path {
			t.Errorf("%s is answered %d %q", path, resp.StatusCode, body)
		}
	}
	if n := w.Conns.Load(); n != 2 {
		t.Errorf("%d connections for two strangers", n)
	}
}

// TestOwnersOfConnections: an id is not the person.
func TestOwnersOfConnections(t *testing.T) {
	seen := map[string]bool{}
	for _, u := range []authhandlers.AuthUserInfo{
		{Issuer: "https://old.example", Subject: "a", ID: "staff:a"}, {Issuer: "https://new.example", Subject: "a", ID: "staff:a"},
		{Issuer: "https://new.example", Subject: "b", ID: "staff:a"}, {Issuer: "https://new.example", Subject: "b", ID: "staff:b"},
	} {
		seen[(&exchange{user: &u}).owner()] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d owners", len(seen))
	}
}
