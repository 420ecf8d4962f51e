// Package certname reads the names in a certificate.
//
// The rule it guards: a name is one name, octet for octet as the authority has written
// it. Two names of the kind that is asked for are no name, since nobody says which of
// them is meant, and no two different names are written alike.
package certname

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The kinds of names.
const (
	URI        = "uri"   // of the subject alternative names (RFC 5280 §4.2.1.6)
	Email      = "email" // likewise
	DNS        = "dns"   // likewise
	CommonName = "cn"    // of the subject
	Subject    = "dn"    // the whole subject, as RFC 4514 writes it
)

// Kinds are all kinds.
func Kinds() []string { return []string{URI, Email, DNS, CommonName, Subject} }

// The reasons for no name.
var (
	ErrNone    = errors.New("the certificate has no such name")
	ErrSeveral = errors.New("the certificate has several such names, and nobody says which one is meant")
	ErrForm    = errors.New("the name in the certificate is of a form that is not read here")
)

// The tags of GeneralName.
const (
	tagEmail = 1
	tagDNS   = 2
	tagURI   = 6
)

// Of returns the certificate's one name of the kind.
func Of(c *x509.Certificate, kind string) (string, error) {
	all, err := All(c, kind)
	switch {
	case err != nil:
		return "", err
	case len(all) == 0:
		return "", ErrNone
	case len(all) > 1:
		return "", ErrSeveral
	}
	return all[0], nil
}

// All are the certificate's names of the kind.
func All(c *x509.Certificate, kind string) ([]string, error) {
	switch kind {
	case URI:
		return alternative(c, tagURI)
	case Email:
		return alternative(c, tagEmail)
	case DNS:
		return alternative(c, tagDNS)
	case CommonName:
		return values(c, "CN")
	case Subject:
		return distinguished(c.RawSubject)
	}
	return nil, fmt.Errorf("%q is no kind of name", kind)
}

// alternative reads the names from the extension itself: crypto/x509 keeps URIs in a
// form in which two of them may look alike.
func alternative(c *x509.Certificate, tag int) ([]string, error) {
	var found []string
	for _, e := range c.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		var names []asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &names); err != nil || len(rest) > 0 {
			return nil, ErrForm
		}
		for _, n := range names {
			if n.Class == asn1.ClassContextSpecific && n.Tag == tag {
				if !readable(n.Bytes) {
					return nil, ErrForm
				}
				found = append(found, string(n.Bytes))
			}
		}
	}
	return found, nil
}

// readable reports a text that can be a name.
func readable(b []byte) bool { return len(b) > 0 && utf8.Valid(b) }
