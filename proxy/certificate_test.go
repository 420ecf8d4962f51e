package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// revoked refuses what a browser sends by itself.
type revoked struct{}

func (revoked) Authenticate(context.Context, *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return nil, authhandlers.Reject(authhandlers.CodeCertificate, "show another one", "revoked")
}

// TestARefusedCertificateIsNoWayIn: a browser whose certificate is refused is told so, and
// is not led to a sign-in that would pass it by.
func TestARefusedCertificateIsNoWayIn(t *testing.T) {
	b := newDesk(t, func(o *Options) {
		links := append([]authhandlers.Link{{Name: "cards", Alias: "cards", Handler: revoked{}}}, o.Chain.Links()[1:]...)
		var err error
		if o.Chain, err = authhandlers.NewChain(o.Now, links...); err != nil {
			t.Fatal(err)
		}
	}, &desk{title: "desk"}).browser(t)
	resp, text := b.goTo("/admin/")
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("Location") != "" || !strings.Contains(text, "<html") {
		t.Errorf("a page: %d, to %q\n%s", resp.StatusCode, resp.Header.Get("Location"), text)
	}
	resp, text = b.script(http.MethodGet, "/memory/collections", "")
	if resp.StatusCode != http.StatusUnauthorized || strings.Contains(text, "login_url") {
		t.Errorf("a program: %d %s", resp.StatusCode, text)
	}
}

// judging accepts nothing.
type judging struct{}

func (judging) Judge([]*x509.Certificate) ([][]*x509.Certificate, error) {
	return nil, errors.New("it has been revoked")
}
func (judging) Generation() uint64 { return 0 }
func (judging) Ready() error       { return nil }

// TestKeptConnection: a certificate that is not accepted any more is refused with
// whatever comes over its connection, pages of our own too, and the connection ends.
func TestKeptConnection(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Certificates = judging{} })
	for _, path := range []string{"/message", "/custom/public/x", "/_catflap/session", "/favicon.ico"} {
		for _, shown := range []*tls.ConnectionState{{PeerCertificates: []*x509.Certificate{{}}}, {}, nil} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Authorization", "Bearer admin")
			r.TLS = shown
			w := httptest.NewRecorder()
			l.handler.ServeHTTP(w, r)
			refused := shown != nil && len(shown.PeerCertificates) > 0
			if got := w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), string(authhandlers.CodeCertificate)); got != refused {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			if refused && w.Header().Get("Connection") != "close" {
				t.Errorf("%s: the connection stays", path)
			}
		}
	}
}
