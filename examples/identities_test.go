package examples

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/internal/demo/standin"
)

// identities is an example whose people come without a token.
type identities struct {
	address string
	cat     *standin.Running
}

// serveIdentities checks the example, with the files that it names beside it, and runs it.
func serveIdentities(t *testing.T, name string, files map[string]string, variables ...string) identities {
	t.Helper()
	l := newLab(t)
	l.sets(t, "CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID")
	l.env = append(l.env, variables...)
	for name, text := range files {
		l.write(t, name, text)
	}
	file := l.write(t, "catflap.yaml", l.localize(t, read(t, name)))
	l.check(t, file)
	l.run(t, "run", "--config", file)
	return identities{l.listen, l.cat}
}

// get returns the status, and the user id that the Cat saw.
func (s identities) get(t *testing.T, client *http.Client, address string, h http.Header) (status int, user string) {
	t.Helper()
	s.cat.ForgetRequests()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	req.Header.Set("user_id", "forged")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode, userAt(s.cat)
}

// TestClientCertificates runs the example: somebody with a certificate is themselves,
// and a revoked one or none is nobody.
func TestClientCertificates(t *testing.T) {
	ca := pki.New(t, "people")
	of := func(address string) tls.Certificate {
		return ca.Issue(t, func(c *x509.Certificate) {
			c.EmailAddresses, c.Subject.OrganizationalUnit = []string{address}, []string{"auditors"}
		})
	}
	alice, mallory := of("alice@example.com"), of("mallory@example.com")
	certificate, key := pki.Files(t, pki.New(t, "server").Issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"chat.example.com"} }))
	s := serveIdentities(t, "handlers/mtls.catflap.yaml", map[string]string{
		"tls.crt": certificate, "tls.key": key, "people-ca.pem": ca.PEM(), "people.crl": ca.Revoked(t, time.Now().Add(time.Hour), mallory.Leaf),
	})
	for _, c := range []struct {
		name   string
		shown  []tls.Certificate
		path   string
		status int
		user   string
	}{
		{"alice", []tls.Certificate{alice}, "/", http.StatusOK, "staff:alice@example.com"},
		{"alice by her group", []tls.Certificate{alice}, "/memory/collections", http.StatusOK, "staff:alice@example.com"},
		{"a revoked certificate", []tls.Certificate{mallory}, "/", http.StatusForbidden, ""},
		{"none", nil, "/", http.StatusUnauthorized, ""},
	} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: c.shown}}}
		status, user := s.get(t, client, "https://"+s.address+c.path, http.Header{})
		if status != c.status || user != c.user {
			t.Errorf("%s: %d, at the Cat %q", c.name, status, user)
		}
	}
}

// TestForwardedIdentity runs the example as its proxy asks, and as others at the same address do.
func TestForwardedIdentity(t *testing.T) {
	secret := strings.Repeat("s", 64)
	s := serveIdentities(t, "handlers/forwarded.catflap.yaml", map[string]string{}, "EDGE_SECRET="+secret)
	for _, c := range []struct {
		name   string
		path   string
		h      http.Header
		status int
		user   string
	}{
		{"alice", "/", http.Header{"X-Forwarded-User": {"alice"}, "X-Catflap-Proxy-Secret": {secret}}, http.StatusOK, "edge:alice"},
		{"alice by her group", "/memory/collections", http.Header{"X-Forwarded-User": {"alice"}, "X-Forwarded-Groups": {"dev,auditors"}, "X-Catflap-Proxy-Secret": {secret}}, http.StatusOK, "edge:alice"},
		{"no secret", "/", http.Header{"X-Forwarded-User": {"alice"}}, http.StatusUnauthorized, ""},
		{"nobody", "/", http.Header{"X-Catflap-Proxy-Secret": {secret}}, http.StatusUnauthorized, ""},
	} {
		if status, user := s.get(t, http.DefaultClient, "http://"+s.address+c.path, c.h); status != c.status || user != c.user {
			t.Errorf("%s: %d, at the Cat %q", c.name, status, user)
		}
	}
}
