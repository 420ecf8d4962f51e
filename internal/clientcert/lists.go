package clientcert

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// list is a revocation list (RFC 5280 §5).
type list struct {
	crl     *x509.RevocationList
	until   time.Time
	revoked map[string]bool // by the octets of the serial number
}

// parseLists reads lists in PEM, or one in DER.
func parseLists(text []byte) ([]*list, error) {
	ders, err := blocks(text, "X509 CRL", "revocation list")
	if err != nil {
		return nil, err
	}
	var all []*list
	for _, der := range ders {
		l, err := parseList(der)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	if len(all) > 0 {
		return all, nil
	}
	l, err := parseList(text)
	if err != nil {
		return nil, fmt.Errorf("it holds no revocation list, in PEM or DER: %w", err)
	}
	return []*list{l}, nil
}

// parseList takes lists alone that are about all certificates of their authority: those
// that are about some of them say so by a critical extension.
func parseList(der []byte) (*list, error) {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	for _, e := range crl.Extensions {
		if e.Critical {
			return nil, fmt.Errorf("the list of %s has the critical extension %s: it is a delta, or not about all certificates", crl.Issuer, e.Id)
		}
	}
	if crl.NextUpdate.IsZero() {
		return nil, fmt.Errorf("the list of %s does not say until when it holds", crl.Issuer)
	}
	l := &list{crl: crl, until: crl.NextUpdate, revoked: make(map[string]bool, len(crl.RevokedCertificateEntries))}
	for _, e := range crl.RevokedCertificateEntries {
		for _, x := range e.Extensions {
			if x.Critical {
				return nil, fmt.Errorf("the list of %s has an entry of another authority", crl.Issuer)
			}
		}
		l.revoked[e.SerialNumber.String()] = true
	}
	return l, nil
}

var errRevoked = errors.New("it has been revoked")

// unrevoked returns an error unless each authority of the chain says, in a current list,
// that what it has issued here is not revoked.
func (s *Set) unrevoked(chain []*x509.Certificate, now time.Time) error {
	for i, c := range chain[:len(chain)-1] {
		if err := s.cleared(c, chain[i+1], now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) cleared(c, issuer *x509.Certificate, now time.Time) error {
	current := false
	for _, l := range s.lists {
		if !bytes.Equal(l.crl.RawIssuer, issuer.RawSubject) || l.crl.CheckSignatureFrom(issuer) != nil {
			continue
		}
		if l.revoked[c.SerialNumber.String()] {
			return errRevoked
		}
		current = current || now.Before(l.until)
	}
	if !current {
		return fmt.Errorf("there is no current revocation list of %s", issuer.Subject)
	}
	return nil
}
