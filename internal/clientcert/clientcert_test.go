package clientcert_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/clientcert"
)

// folder holds the files of one test.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder { return folder{t, t.TempDir()} }

func (f folder) write(name string, texts ...string) value.Path {
	f.t.Helper()
	file := filepath.Join(f.dir, name)
	if err := os.WriteFile(file, []byte(strings.Join(texts, "")), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return value.Path(file)
}

// shown are the certificates as a connection has them.
func shown(t *testing.T, c tls.Certificate) []*x509.Certificate {
	t.Helper()
	var all []*x509.Certificate
	for _, der := range c.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed)
	}
	return all
}

func open(t *testing.T, f clientcert.Files, clock *authtest.Clock) *clientcert.Authorities {
	t.Helper()
	a, err := clientcert.Open(f, slog.New(slog.DiscardHandler), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestJudge(t *testing.T) {
	clock := authtest.NewClock()
	now := clock.Now()
	ca, stranger := pki.New(t, "people"), pki.New(t, "people")
	below := ca.Below(t, "department")
	address, _ := url.Parse("urn:people:alice")
	named := func(c *x509.Certificate) { c.URIs = []*url.URL{address} }
	usage := func(u ...x509.ExtKeyUsage) pki.Change {
		return func(c *x509.Certificate) { named(c); c.ExtKeyUsage = u }
	}
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
	}
	missing := below.Issue(t, named)
	missing.Certificate = missing.Certificate[:1]
	many := ca.Issue(t, named)
	for range 9 {
		many.Certificate = append(many.Certificate, ca.Certificate.Raw)
	}
	a := open(t, clientcert.Files{Authorities: newFolder(t).write("ca.pem", ca.PEM())}, clock)
	for _, c := range []struct {
		name string
		c    tls.Certificate
		why  string
	}{
		{"good", ca.Issue(t, named), ""},
		{"by an authority below", below.Issue(t, named), ""},
		{"the authority below is not shown", missing, "no authority"},
		{"by a stranger of the same name", stranger.Issue(t, named), "no authority"},
		{"for servers", ca.Issue(t, usage(x509.ExtKeyUsageServerAuth)), "usage"},
		{"for anything", ca.Issue(t, usage(x509.ExtKeyUsageAny)), "usage"},
		{"for nothing that is said", ca.Issue(t, usage()), "usage"},
		{"for servers and clients", ca.Issue(t, usage(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)), ""},
		{"expired", ca.Issue(t, named, pki.Ends(now.Add(-time.Second))), "expired"},
		{"early", ca.Issue(t, named, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }), "not valid yet"},
		{"an authority's own", ca.Issue(t, named, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "authority's own"},
		{"the authority itself", tls.Certificate{Certificate: [][]byte{ca.Certificate.Raw}}, "authority's own"},
		{"a critical extension", ca.Issue(t, named, critical), "can't be verified"},
		{"a crowd", many, "too many"},
		{"none", tls.Certificate{}, "no certificate"},
	} {
		for range 2 { // the second time it may be remembered
			chains, err := a.Judge(shown(t, c.c))
			switch {
			case c.why == "" && (err != nil || len(chains) == 0):
				t.Errorf("%s: %v", c.name, err)
			case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
				t.Errorf("%s: %v, want %q", c.name, err, c.why)
			}
		}
	}
}

// TestEnds: a certificate that is remembered ends with the first of its chain.
func TestEnds(t *testing.T) {
	clock := authtest.NewClock()
	ca := pki.New(t, "people", pki.Ends(clock.Now().Add(time.Hour)))
	a := open(t, clientcert.Files{Authorities: newFolder(t).write("ca.pem", ca.PEM())}, clock)
	c := shown(t, ca.Issue(t))
	chains, err := a.Judge(c)
	if err != nil {
		t.Fatal(err)
	}
	if end := clientcert.Until(chains[0]); end.After(clock.Now().Add(time.Hour)) {
		t.Errorf("it ends at %s, after its authority", end)
	}
	clock.Advance(61 * time.Minute)
	if _, err := a.Judge(c); err == nil {
		t.Error("accepted after the end of its authority")
	}
}

func TestRenewed(t *testing.T) {
	clock := authtest.NewClock()
	old, next := pki.New(t, "people"), pki.New(t, "people of tomorrow")
	f := newFolder(t)
	files := clientcert.Files{Authorities: f.write("ca.pem", old.PEM())}
	a := open(t, files, clock)
	alice, bob := shown(t, old.Issue(t)), shown(t, next.Issue(t))
	judge := func(step string, first, second bool) {
		t.Helper()
		_, errA := a.Judge(alice)
		_, errB := a.Judge(bob)
		if (errA == nil) != first || (errB == nil) != second {
			t.Errorf("%s: %v, %v", step, errA, errB)
		}
	}
	judge("at first", true, false)
	generation := a.Generation()
	f.write("ca.pem", "half a file")
	clock.Advance(2 * time.Second)
	judge("a bad file", true, false)
	if a.Generation() != generation {
		t.Error("a bad file is a new generation")
	}
	f.write("ca.pem", next.PEM())
	clock.Advance(2 * time.Second)
	judge("replaced", false, true)
	if a.Generation() == generation {
		t.Error("no new generation")
	}
	a.DemandOne(true)
	f.write("ca.pem", old.PEM(), next.PEM())
	clock.Advance(2 * time.Second)
	judge("two where one is due", false, true)
	a.DemandOne(false)
	clock.Advance(2 * time.Second)
	judge("two", true, true)
}

func TestSeveralAuthorities(t *testing.T) {
	f := newFolder(t)
	ca, other := pki.New(t, "people"), pki.New(t, "people")
	for _, c := range []struct {
		name string
		text string
		bad  string
	}{
		{"one", ca.PEM(), ""},
		{"one twice", ca.PEM() + ca.PEM(), ""},
		{"two of one name", ca.PEM() + other.PEM(), "several"},
		{"an authority and one below", ca.PEM() + pki.PEM("CERTIFICATE", ca.Below(t, "below").Certificate.Raw), "several"},
		{"somebody's certificate", pki.PEM("CERTIFICATE", ca.Issue(t).Certificate[0]), "no authority's"},
		{"a key", pki.PEM("PRIVATE KEY", []byte("x")), "no certificate"},
		{"nothing", "", "no certificate"},
	} {
		_, err := clientcert.Files{Authorities: f.write("ca.pem", c.text), One: true}.Read()
		if (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRevocation(t *testing.T) {
	clock := authtest.NewClock()
	soon := clock.Now().Add(time.Hour)
	ca, stranger := pki.New(t, "people"), pki.New(t, "people")
	below := ca.Below(t, "department")
	alice, bob := ca.Issue(t), ca.Issue(t)
	carol := below.Issue(t)
	f := newFolder(t)
	authorities := f.write("ca.pem", ca.PEM())
	for _, c := range []struct {
		name string
		list []string
		want [3]bool // alice, bob, carol
	}{
		{"nobody", []string{ca.Revoked(t, soon), below.Revoked(t, soon)}, [3]bool{true, true, true}},
		{"one", []string{ca.Revoked(t, soon, alice.Leaf), below.Revoked(t, soon)}, [3]bool{false, true, true}},
		{"the authority below", []string{ca.Revoked(t, soon, below.Certificate), below.Revoked(t, soon)}, [3]bool{true, true, false}},
		{"no list of the one below", []string{ca.Revoked(t, soon)}, [3]bool{true, true, false}},
		{"an old list of the one below", []string{ca.Revoked(t, soon), below.Revoked(t, clock.Now().Add(-time.Minute))}, [3]bool{true, true, false}},
		{"an old list beside the present one", []string{ca.Revoked(t, clock.Now().Add(-time.Minute)), ca.Revoked(t, soon, bob.Leaf), below.Revoked(t, soon)}, [3]bool{true, false, true}},
		{"a stranger's of the same name", []string{stranger.Revoked(t, soon), below.Revoked(t, soon)}, [3]bool{false, false, false}},
	} {
		a := open(t, clientcert.Files{Authorities: authorities, Lists: f.write("list.crl", c.list...)}, clock)
		for i, who := range []tls.Certificate{alice, bob, carol} {
			if _, err := a.Judge(shown(t, who)); (err == nil) != c.want[i] {
				t.Errorf("%s: person %d: %v", c.name, i, err)
			}
		}
	}
}

// TestStaleList: when a list is no longer current, nobody is accepted, those who are
// remembered and those who are connected least of all.
func TestStaleList(t *testing.T) {
	clock := authtest.NewClock()
	ca := pki.New(t, "people")
	f := newFolder(t)
	a := open(t, clientcert.Files{Authorities: f.write("ca.pem", ca.PEM()), Lists: f.write("list.crl", ca.Revoked(t, clock.Now().Add(time.Hour)))}, clock)
	alice := shown(t, ca.Issue(t))
	if _, err := a.Judge(alice); err != nil {
		t.Fatal(err)
	}
	before := a.Generation()
	clock.Advance(2 * time.Hour)
	if _, err := a.Judge(alice); err == nil {
		t.Error("accepted by a list of yesterday")
	}
	if a.Generation() == before || a.Ready() == nil {
		t.Error("nobody is told that the list is stale")
	}
	f.write("list.crl", ca.Revoked(t, clock.Now().Add(time.Hour)), "\n")
	clock.Advance(2 * time.Second)
	if _, err := a.Judge(alice); err != nil || a.Ready() != nil {
		t.Errorf("with a new list: %v, %v", err, a.Ready())
	}
}

func TestBadLists(t *testing.T) {
	ca := pki.New(t, "people")
	f := newFolder(t)
	authorities := f.write("ca.pem", ca.PEM())
	for name, text := range map[string]string{"nothing": "", "a certificate": ca.PEM(), "garbage": "garbage", "half": pki.PEM("X509 CRL", []byte{0x30, 0x03, 1, 1, 1})} {
		if _, err := (clientcert.Files{Authorities: authorities, Lists: f.write("list.crl", text)}).Read(); err == nil {
			t.Errorf("%s is taken for a list", name)
		}
	}
}

func TestFingerprint(t *testing.T) {
	c := pki.New(t, "people")
	want := clientcert.FingerprintOf(c.Certificate)
	text := c.Fingerprint()
	var colons []string
	for i := 0; i < len(text); i += 2 {
		colons = append(colons, strings.ToUpper(text[i:i+2]))
	}
	for _, good := range []string{text, strings.ToUpper(text), strings.Join(colons, ":")} {
		if got, err := clientcert.ParseFingerprint(good); err != nil || got != want {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ab", text[2:], text + "00", "g" + text[1:]} {
		if _, err := clientcert.ParseFingerprint(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestBrokenBlocks: a file of which a part can't be read, since it is being written, say, is
// no file of the other parts alone.
func TestBrokenBlocks(t *testing.T) {
	clock := authtest.NewClock()
	one, two := pki.New(t, "one"), pki.New(t, "two")
	lists := []string{one.Revoked(t, clock.Now().Add(time.Hour)), two.Revoked(t, clock.Now().Add(time.Hour))}
	half := func(text string) string { return text[:len(text)/2] }
	inside := func(text string) string { return strings.Replace(text, "\n", "\n!", 1) }
	for name, c := range map[string]struct {
		authorities, lists []string
		good               bool
	}{
		"whole":                   {[]string{one.PEM(), "a comment\n", two.PEM()}, lists, true},
		"half an authority":       {[]string{one.PEM(), half(two.PEM())}, lists, false},
		"a broken authority":      {[]string{inside(one.PEM()), two.PEM()}, lists, false},
		"half a list":             {[]string{one.PEM(), two.PEM()}, []string{lists[0], half(lists[1])}, false},
		"a broken list":           {[]string{one.PEM(), two.PEM()}, []string{inside(lists[0]), lists[1]}, false},
		"half a list, and no end": {[]string{one.PEM(), two.PEM()}, []string{lists[0], "-----BEGIN X509 CRL-----\n"}, false},
	} {
		f := newFolder(t)
		files := clientcert.Files{Authorities: f.write("ca.pem", c.authorities...), Lists: f.write("crl.pem", c.lists...)}
		if _, err := files.Read(); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
