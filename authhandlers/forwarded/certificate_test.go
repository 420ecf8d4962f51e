package forwarded_test

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/authhandlers/forwarded"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/clientcert"
)

// TestProxyCertificate: the proxy proves itself by its own certificate, and that makes
// nobody of it where it names nobody.
func TestProxyCertificate(t *testing.T) {
	clock := authtest.NewClock()
	ca, other := pki.New(t, "services"), pki.New(t, "partners")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(ca.PEM()+other.PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	judge, err := clientcert.Open(clientcert.Files{Authorities: value.Path(file)}, slog.New(slog.DiscardHandler), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	hosts := func(names ...string) pki.Change { return func(c *x509.Certificate) { c.DNSNames = names } }
	edge := ca.Issue(t, hosts("spare.internal", "edge.internal"))
	for _, c := range []struct {
		name    string
		shown   *tls.Certificate
		secrets bool
		lines   []string
		in      bool
		code    authhandlers.Code // of the refusal; none: not for this handler
		from    string            // empty: where the proxy is
	}{
		{"the proxy", &edge, false, []string{"X-Forwarded-User: alice"}, true, "", ""},
		{"another service", new(ca.Issue(t, hosts("db.internal"))), false, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, ""},
		{"the name in another place", new(ca.Issue(t, pki.Named("edge.internal"))), false, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, ""},
		{"another authority", new(other.Issue(t, hosts("edge.internal"))), false, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, ""},
		{"a stranger's", new(pki.New(t, "services").Issue(t, hosts("edge.internal"))), false, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, ""},
		{"none", nil, false, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, ""},
		{"nobody", &edge, false, nil, false, authhandlers.CodeMissingCredential, ""},
		{"nobody, by another", nil, false, nil, false, "", ""},
		{"both", &edge, true, []string{"X-Forwarded-User: alice", secret}, true, "", ""},
		{"the certificate alone, where both are due", &edge, true, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, ""},
		{"the secret alone, where both are due", nil, true, []string{"X-Forwarded-User: alice", secret}, false, authhandlers.CodeForwarded, ""},
		{"the proxy from elsewhere", &edge, false, []string{"X-Forwarded-User: alice"}, false, authhandlers.CodeForwarded, "203.0.113.9:4711"},
		{"nobody from elsewhere", &edge, false, nil, false, authhandlers.CodeForwarded, "203.0.113.9:4711"},
		{"somebody else from elsewhere", new(ca.Issue(t, hosts("db.internal"))), false, []string{"X-Forwarded-User: alice"}, false, "", "203.0.113.9:4711"},
	} {
		s := forwarded.NewConfig()
		s.From, s.UserHeader, s.Certificates, s.Authorities = []string{"192.0.2.8/29"}, "X-Forwarded-User", []string{"cn:proxy", "dns:edge.internal"}, []string{ca.Fingerprint()}
		if c.secrets {
			s.Secrets = secrets(t, good)
		}
		env := authtest.NewEnv(t, clock)
		env.Certificates = judge
		h, err := authhandlers.Open(t.Context(), s, env)
		if err != nil {
			t.Fatal(err)
		}
		r := request(cmp.Or(c.from, proxyAt), c.lines...)
		r.HTTP.TLS = &tls.ConnectionState{}
		if c.shown != nil {
			r.HTTP.TLS.PeerCertificates = []*x509.Certificate{c.shown.Leaf}
		}
		r.Lasting = true
		u, err := h.Authenticate(t.Context(), r)
		rejected, _ := errors.AsType[*authhandlers.Rejection](err)
		switch {
		case c.in && err != nil, !c.in && err == nil:
			t.Errorf("%s: %+v, %v", c.name, u, err)
		case c.in:
			if again, err := h.(authhandlers.Rejudger).Rejudge(u); err != nil || !again.Same(u) {
				t.Errorf("%s, judged again: %v", c.name, err)
			}
		case c.code == "" && !errors.Is(err, authhandlers.ErrNoCredential), c.code != "" && (rejected == nil || rejected.Code != c.code):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	s := settings(t)
	s.Certificates = []string{"dns:edge.internal"}
	if _, err := authhandlers.Open(t.Context(), s, authtest.NewEnv(t, clock)); err == nil {
		t.Error("opened without a listener that asks for certificates")
	}
}
