package certname_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/internal/certname"
)

// named returns a certificate with these names of the subject, in their order.
func named(t *testing.T, ca *pki.Authority, names ...pkix.AttributeTypeAndValue) *x509.Certificate {
	t.Helper()
	return ca.Issue(t, func(c *x509.Certificate) { c.Subject = pkix.Name{ExtraNames: names} }).Leaf
}

func attribute(value any, id ...int) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: id, Value: value}
}

func cn(value string) pkix.AttributeTypeAndValue { return attribute(value, 2, 5, 4, 3) }
func ou(value string) pkix.AttributeTypeAndValue { return attribute(value, 2, 5, 4, 11) }

// alternative returns a certificate with these subject alternative names, by their tag.
func alternative(t *testing.T, ca *pki.Authority, names ...asn1.RawValue) *x509.Certificate {
	t.Helper()
	value, err := asn1.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	return ca.Issue(t, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}}
	}).Leaf
}

func general(tag int, text string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(text)}
}

func TestOf(t *testing.T) {
	ca := pki.New(t, "people")
	parse := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	many := ca.Issue(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.Subject.Organization = "Alice", []string{"Example, Inc."}
		c.EmailAddresses, c.DNSNames, c.URIs = []string{"alice@example.com"}, []string{"a.example.com", "b.example.com"}, []*url.URL{parse("spiffe://example.com/alice")}
	}).Leaf
	bare := named(t, ca)
	wide := asn1.RawValue{Tag: asn1.TagBMPString, Bytes: []byte{0, 'a'}}
	for _, c := range []struct {
		name, kind string
		c          *x509.Certificate
		want       string
		err        error
	}{
		{"the URI", certname.URI, many, "spiffe://example.com/alice", nil},
		{"the address", certname.Email, many, "alice@example.com", nil},
		{"two hosts", certname.DNS, many, "", certname.ErrSeveral},
		{"the common name", certname.CommonName, many, "Alice", nil},
		{"the whole subject", certname.Subject, many, `CN=Alice,O=Example\, Inc.`, nil},
		{"no URI", certname.URI, bare, "", certname.ErrNone},
		{"no common name", certname.CommonName, bare, "", certname.ErrNone},
		{"no subject", certname.Subject, bare, "", certname.ErrNone},
		{"two URIs", certname.URI, alternative(t, ca, general(6, "urn:a"), general(6, "urn:b")), "", certname.ErrSeveral},
		{"one URI twice", certname.URI, alternative(t, ca, general(6, "urn:a"), general(6, "urn:a")), "", certname.ErrSeveral},
		{"two addresses", certname.Email, alternative(t, ca, general(1, "a@example.com"), general(1, "b@example.com")), "", certname.ErrSeveral},
		{"a URI as it is written", certname.URI, alternative(t, ca, general(6, "http://x.example/a#")), "http://x.example/a#", nil},
		{"two common names", certname.CommonName, named(t, ca, cn("alice"), cn("admin")), "", certname.ErrSeveral},
		{"two common names in a subject", certname.Subject, named(t, ca, cn("alice"), cn("admin")), "CN=admin,CN=alice", nil},
		{"characters with a meaning", certname.Subject, named(t, ca, cn(` #a,b+c"d\e<f>g;h= `)), `CN=\ #a\,b\+c\"d\\e\<f\>g\;h=\ `, nil},
		{"a hash first", certname.Subject, named(t, ca, cn(`#04024869`)), `CN=\#04024869`, nil},
		{"an attribute without a name", certname.Subject, named(t, ca, attribute("x", 1, 3, 6, 1)), "1.3.6.1=#130178", nil},
		{"uid and dc", certname.Subject, named(t, ca, attribute("example", 0, 9, 2342, 19200300, 100, 1, 25), attribute("alice", 0, 9, 2342, 19200300, 100, 1, 1)), "UID=alice,DC=example", nil},
		{"letters beyond ASCII", certname.CommonName, named(t, ca, cn("Zoë")), "Zoë", nil},
		{"a common name in UTF-16", certname.CommonName, named(t, ca, attribute(wide, 2, 5, 4, 3)), "", certname.ErrForm},
		{"a subject in UTF-16", certname.Subject, named(t, ca, attribute(wide, 2, 5, 4, 3)), "2.5.4.3=#1e020061", nil},
	} {
		got, err := certname.Of(c.c, c.kind)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v, want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
	if _, err := certname.Of(many, "serial"); err == nil {
		t.Error("an unknown kind names somebody")
	}
	if units, err := certname.Units(named(t, ca, ou("dev"), cn("alice"), ou("admins"))); err != nil || strings.Join(units, " ") != "dev admins" {
		t.Errorf("%q, %v", units, err)
	}
}

// FuzzSubject: no two different subjects are written alike.
func FuzzSubject(f *testing.F) {
	f.Add("alice", "dev", "alice,OU=dev", "")
	f.Add("a+b", "c", "a", "b+c")
	f.Add(`\`, `,`, `\,`, " ")
	f.Add("#0", "x", "\x00", "\\00")
	f.Fuzz(func(t *testing.T, aName, aUnit, bName, bUnit string) {
		write := func(name, unit string) (raw []byte, text string) {
			sequence := pkix.RDNSequence{{attribute(name, 2, 5, 4, 3)}, {ou(unit)}}
			raw, err := asn1.Marshal(sequence)
			if err != nil {
				t.Skip() // no text that a certificate can hold
			}
			text, err = certname.Of(&x509.Certificate{RawSubject: raw}, certname.Subject)
			if err != nil {
				t.Fatal(err)
			}
			return raw, text
		}
		a, aText := write(aName, aUnit)
		b, bText := write(bName, bUnit)
		if (string(a) == string(b)) != (aText == bText) {
			t.Errorf("%x and %x are %q and %q", a, b, aText, bText)
		}
	})
}
