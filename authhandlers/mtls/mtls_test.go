package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/authhandlers/mtls"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/clientcert"
)

// listener is what a listener says of client certificates.
type listener struct {
	*clientcert.Authorities
	file  string
	clock *authtest.Clock
}

func listen(t *testing.T, clock *authtest.Clock, authorities ...*pki.Authority) *listener {
	t.Helper()
	l := &listener{file: filepath.Join(t.TempDir(), "ca.pem"), clock: clock}
	l.trust(t, authorities...)
	var err error
	l.Authorities, err = clientcert.Open(clientcert.Files{Authorities: value.Path(l.file)}, slog.New(slog.DiscardHandler), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *listener) trust(t *testing.T, authorities ...*pki.Authority) {
	t.Helper()
	text := ""
	for _, a := range authorities {
		text += a.PEM()
	}
	if err := os.WriteFile(l.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(2 * time.Second)
}

func (l *listener) open(t *testing.T, c *mtls.Config) authhandlers.AuthHandler {
	t.Helper()
	env := authtest.NewEnv(t, l.clock)
	env.Certificates = l
	h, err := authhandlers.Open(t.Context(), c, env)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// request comes over a connection on which the certificate was shown.
func request(t *testing.T, c tls.Certificate) *authhandlers.Request {
	t.Helper()
	r := authtest.NewRequest()
	r.HTTP.TLS = &tls.ConnectionState{HandshakeComplete: true}
	for _, der := range c.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		r.HTTP.TLS.PeerCertificates = append(r.HTTP.TLS.PeerCertificates, parsed)
	}
	return r
}

func mail(addresses ...string) pki.Change {
	return func(c *x509.Certificate) { c.EmailAddresses = addresses }
}

func byMail() *mtls.Config { return &mtls.Config{UserID: "email"} }

func TestConformance(t *testing.T) {
	clock := authtest.NewClock()
	ca, stranger := pki.New(t, "people"), pki.New(t, "people")
	people := make([]tls.Certificate, 8)
	for n := range people {
		people[n] = ca.Issue(t, mail(fmt.Sprintf("person-%d@example.com", n)), pki.Ends(clock.Now().Add(time.Hour)))
	}
	of := func(c tls.Certificate) func(*testing.T) *authhandlers.Request {
		return func(t *testing.T) *authhandlers.Request { return request(t, c) }
	}
	beside := func(t *testing.T) *authhandlers.Request {
		r := request(t, people[0])
		r.Credential = authtest.Bearer("opaque").Credential
		return r
	}
	authtest.Run(t, authtest.Suite{
		Clock: clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			env.Certificates = listen(t, clock, ca)
			h, err := authhandlers.Open(t.Context(), byMail(), env)
			if err != nil {
				t.Fatal(err)
			}
			return h
		},
		Request:  func(t *testing.T, n int) *authhandlers.Request { return request(t, people[n]) },
		Person:   func(n int) (string, string) { return "mtls:test", fmt.Sprintf("person-%d@example.com", n) },
		Lifetime: time.Hour,
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"of a stranger":  of(stranger.Issue(t, mail("person-0@example.com"))),
			"expired":        of(ca.Issue(t, mail("person-0@example.com"), pki.Ends(clock.Now().Add(-time.Minute)))),
			"for servers":    of(ca.Issue(t, mail("person-0@example.com"), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })),
			"two addresses":  of(ca.Issue(t, mail("person-0@example.com", "person-1@example.com"))),
			"no address":     of(ca.Issue(t, pki.Named("person-0@example.com"))),
			"somebody's own": of(tls.Certificate{Certificate: [][]byte{ca.Certificate.Raw}}),
		},
		Foreign: map[string]func(*testing.T) *authhandlers.Request{"a token beside it": beside},
	})
}

// TestCredentialDecides: a certificate is nothing beside a credential of any scheme.
func TestCredentialDecides(t *testing.T) {
	ca := pki.New(t, "people")
	h := listen(t, authtest.NewClock(), ca).open(t, byMail())
	for _, scheme := range []string{"bearer", "basic", "dpop"} {
		r := request(t, ca.Issue(t, mail("alice@example.com")))
		r.Credential = &authhandlers.Credential{Scheme: scheme, Value: "x", Carrier: authhandlers.CarrierAuthorization}
		if _, err := h.Authenticate(t.Context(), r); !errors.Is(err, authhandlers.ErrNoCredential) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	r := request(t, ca.Issue(t, mail("alice@example.com")))
	r.Carried = true
	if _, err := h.Authenticate(t.Context(), r); !errors.Is(err, authhandlers.ErrNoCredential) {
		t.Errorf("in a carrier of its own: %v", err)
	}
}

func TestNamesAndGroups(t *testing.T) {
	ca := pki.New(t, "people")
	l := listen(t, authtest.NewClock(), ca)
	address, _ := url.Parse("spiffe://example.com/alice")
	c := ca.Issue(t, pki.Named("Alice"), mail("alice@example.com"), func(c *x509.Certificate) {
		c.URIs, c.DNSNames, c.Subject.OrganizationalUnit = []*url.URL{address}, []string{"alice.example.com"}, []string{"dev", "admins"}
	})
	for kind, want := range map[string]string{
		"uri": "spiffe://example.com/alice", "email": "alice@example.com", "dns": "alice.example.com", "cn": "Alice", "dn": "CN=Alice,OU=dev+OU=admins",
	} {
		u, err := l.open(t, &mtls.Config{UserID: kind, Groups: "ou", Issuer: "company"}).Authenticate(t.Context(), request(t, c))
		if err != nil {
			t.Fatal(err)
		}
		if u.Subject != want || u.Name != "Alice" || u.Issuer != "mtls:company" || strings.Join(u.Groups, " ") != "dev admins" {
			t.Errorf("%s: %+v", kind, u)
		}
	}
	u, err := l.open(t, byMail()).Authenticate(t.Context(), request(t, c))
	if err != nil || u.Groups != nil {
		t.Errorf("groups that nobody asked for: %+v, %v", u, err)
	}
}

// TestAuthorities: a handler has the people of its own authorities alone, and a denied
// certificate is nobody's.
func TestAuthorities(t *testing.T) {
	staff, partners := pki.New(t, "staff"), pki.New(t, "partners")
	l := listen(t, authtest.NewClock(), staff, partners)
	alice, other := staff.Issue(t, mail("alice@example.com")), partners.Issue(t, mail("alice@example.com"))
	h := l.open(t, &mtls.Config{UserID: "email", Authorities: []string{staff.Fingerprint()}, Denied: []string{}})
	if _, err := h.Authenticate(t.Context(), request(t, alice)); err != nil {
		t.Error(err)
	}
	if _, err := h.Authenticate(t.Context(), request(t, other)); !errors.Is(err, authhandlers.ErrNoCredential) {
		t.Errorf("another authority's: %v", err)
	}
	h = l.open(t, &mtls.Config{UserID: "email", Authorities: []string{staff.Fingerprint()}, Denied: []string{pki.Fingerprint(alice.Certificate[0])}})
	_, err := h.Authenticate(t.Context(), request(t, alice))
	if r, ok := errors.AsType[*authhandlers.Rejection](err); !ok || r.Code != authhandlers.CodeCertificate {
		t.Errorf("a denied one: %v", err)
	}
}

// TestRejudge: somebody connected is let in as long as their certificate would be.
func TestRejudge(t *testing.T) {
	clock := authtest.NewClock()
	ca, next := pki.New(t, "people"), pki.New(t, "people of tomorrow")
	below := ca.Below(t, "department")
	l := listen(t, clock, ca)
	h := l.open(t, byMail())
	again := func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
		return h.(authhandlers.Rejudger).Rejudge(u)
	}
	generation := h.(authhandlers.Rejudger).Generation()
	var open []*authhandlers.AuthUserInfo
	for _, c := range []tls.Certificate{ca.Issue(t, mail("alice@example.com")), below.Issue(t, mail("bob@example.com"))} {
		r := request(t, c)
		if u, err := h.Authenticate(t.Context(), r); err != nil || u.Evidence != "" {
			t.Fatalf("%+v, %v: evidence of a request that does not last", u, err)
		}
		r.Lasting = true
		u, err := h.Authenticate(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, u)
		if same, err := again(u); err != nil || !same.Same(u) {
			t.Fatalf("%+v, %v", same, err)
		}
	}
	l.trust(t, next)
	if h.(authhandlers.Rejudger).Generation() == generation {
		t.Error("nobody would be judged again")
	}
	for _, u := range open {
		if _, err := again(u); !rejected(err) {
			t.Errorf("%s is still in: %v", u.Subject, err)
		}
	}
	for _, evidence := range []string{"", "!", "AAAA"} {
		if _, err := again(&authhandlers.AuthUserInfo{Evidence: evidence}); !rejected(err) {
			t.Errorf("evidence %q: %v", evidence, err)
		}
	}
}

func rejected(err error) bool {
	_, ok := errors.AsType[*authhandlers.Rejection](err)
	return ok
}

func TestValidate(t *testing.T) {
	print := strings.Repeat("ab", 32)
	for name, c := range map[string]*mtls.Config{
		"no user_id":         {},
		"another user_id":    {UserID: "serial"},
		"other groups":       {UserID: "cn", Groups: "o"},
		"a bad fingerprint":  {UserID: "cn", Authorities: []string{"abcd"}},
		"one listed twice":   {UserID: "cn", Denied: []string{print, strings.ToUpper(print)}},
		"a space in issuer":  {UserID: "cn", Issuer: "a b"},
		"a very long issuer": {UserID: "cn", Issuer: strings.Repeat("a", 513)},
	} {
		if c.Validate() == nil {
			t.Errorf("%s is valid", name)
		}
	}
	if err := (&mtls.Config{UserID: "uri", Authorities: []string{print}, Groups: "ou", Issuer: "company"}).Validate(); err != nil {
		t.Error(err)
	}
	if _, err := authhandlers.Open(t.Context(), byMail(), authtest.NewEnv(t, authtest.NewClock())); err == nil {
		t.Error("opened without a listener that asks for certificates")
	}
}

// TestIdentitySource: handlers share an alias only where both say that they mean the
// same people by the same name.
func TestIdentitySource(t *testing.T) {
	source := func(c mtls.Config) string { return c.IdentitySource() }
	if source(mtls.Config{UserID: "cn"}) != "" {
		t.Error("two handlers that do not say so would mean the same people")
	}
	if source(mtls.Config{UserID: "cn", Issuer: "a"}) == source(mtls.Config{UserID: "dn", Issuer: "a"}) || source(mtls.Config{UserID: "cn", Issuer: "a"}) == source(mtls.Config{UserID: "cn", Issuer: "b"}) {
		t.Error("others are the same")
	}
}

// FuzzPeople: two certificates are one person only if they have the same name.
func FuzzPeople(f *testing.F) {
	ca := pki.New(f, "people")
	clock := authtest.NewClock()
	f.Add("alice@example.com", "Alice@example.com")
	f.Add("a@example.com", "a@example.com")
	f.Add("a~20b@example.com", "a b@example.com")
	f.Fuzz(func(t *testing.T, a, b string) {
		chain, err := authhandlers.NewChain(clock.Now, authhandlers.Link{Name: "staff", Alias: "staff", Handler: listen(t, clock, ca).open(t, byMail())})
		if err != nil {
			t.Fatal(err)
		}
		id := func(address string) string {
			if len(address) > 200 || strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r > '~' }) || address == "" {
				t.Skip("no address that a certificate can hold")
			}
			u, err := chain.Authenticate(t.Context(), request(t, ca.Issue(t, mail(address))))
			if err != nil {
				t.Skip(err)
			}
			return u.ID
		}
		if (id(a) == id(b)) != (a == b) {
			t.Errorf("%q and %q: %q and %q", a, b, id(a), id(b))
		}
	})
}
