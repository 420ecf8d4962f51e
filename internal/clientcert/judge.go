package clientcert

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// maxShown bounds the certificates that a client may show, its own included.
	maxShown = 8
	// maxKnown bounds how many certificates are remembered. Only those that an authority
	// has vouched for are.
	maxKnown = 4096
)

// known is what is remembered of a certificate that counts.
type known struct {
	chains [][]*x509.Certificate
	until  time.Time
}

var (
	errNone      = errors.New("no certificate was shown")
	errMany      = errors.New("too many certificates were shown")
	errAuthority = errors.New("it is an authority's own")
	errTime      = errors.New("it, or an authority above it, has expired or is not valid yet")
	errUnknown   = errors.New("no authority of the file vouches for it")
	errBroken    = errors.New("it can't be verified")
	errUsage     = errors.New("its extended key usage does not name the authentication of clients")
)

// judge returns the chains by which the first certificate is vouched for. Each begins
// with it and ends with an authority.
func (s *Set) judge(shown []*x509.Certificate, now time.Time) ([][]*x509.Certificate, error) {
	switch {
	case len(shown) == 0:
		return nil, errNone
	case len(shown) > maxShown:
		return nil, errMany
	}
	print := FingerprintOf(shown[0])
	s.mu.Lock()
	k, ok := s.known[print]
	s.mu.Unlock()
	if ok && now.Before(k.until) && !now.Before(shown[0].NotBefore) {
		return k.chains, nil
	}
	chains, err := s.verify(shown, now)
	if err != nil {
		return nil, err
	}
	k = known{chains, Until(chains[0])}
	for _, c := range chains[1:] {
		if end := Until(c); end.Before(k.until) {
			k.until = end
		}
	}
	if s.listed && s.stale.Before(k.until) {
		k.until = s.stale
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[print] = k
	return chains, nil
}

func (s *Set) verify(shown []*x509.Certificate, now time.Time) ([][]*x509.Certificate, error) {
	own := shown[0]
	if own.IsCA {
		return nil, errAuthority
	}
	if !slices.Contains(own.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return nil, errUsage
	}
	o := x509.VerifyOptions{
		Roots: s.pool, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range shown[1:] {
		o.Intermediates.AddCert(c)
	}
	chains, err := own.Verify(o)
	if err != nil {
		return nil, explain(err)
	}
	if !s.listed {
		return chains, nil
	}
	var why error
	good := slices.DeleteFunc(chains, func(c []*x509.Certificate) bool {
		if err := s.unrevoked(c, now); err != nil {
			why = err
			return true
		}
		return false
	})
	if len(good) == 0 {
		return nil, why
	}
	return good, nil
}

// explain says why a certificate is not vouched for, without the names that its client
// may have made up.
func explain(err error) error {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case x509.Expired:
			return errTime
		case x509.IncompatibleUsage:
			return errUsage
		}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return errUnknown
	}
	return errBroken
}

// Until is the end of a chain: that of the certificate that ends first.
func Until(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// Stale says that a list is no longer current.
func (s *Set) Stale(now time.Time) error {
	for _, l := range s.lists {
		if !now.Before(l.until) && !s.replaced(l, now) {
			return fmt.Errorf("the revocation list of %s ended at %s, so that no client certificate of it is accepted: renew the file", l.crl.Issuer, l.until.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// replaced reports a current list of the same authority.
func (s *Set) replaced(old *list, now time.Time) bool {
	return slices.ContainsFunc(s.lists, func(l *list) bool {
		return string(l.crl.RawIssuer) == string(old.crl.RawIssuer) && now.Before(l.until)
	})
}
