package clientcert

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/catflap/catflap/config/value"
)

// The bounds of the files.
const (
	maxAuthorities = 1 << 20
	maxLists       = 16 << 20
)

// Files names where the authorities are, and their revocation lists if there are any.
type Files struct {
	Authorities, Lists value.Path
	// One says that all authorities of the file must be one by its key: somebody who
	// goes by a name alone could else be two people.
	One bool
}

// Set is what the files said at one moment.
type Set struct {
	// Anchors are the authorities.
	Anchors []*x509.Certificate
	pool    *x509.CertPool
	lists   []*list
	listed  bool // there is a file of lists
	// stale is when the first of the lists is no longer current.
	stale time.Time

	mu    sync.Mutex
	known map[Fingerprint]known
}

// Read reads the files.
func (f Files) Read() (*Set, error) {
	text, err := value.ReadFile(string(f.Authorities), maxAuthorities)
	if err != nil {
		return nil, err
	}
	s := &Set{pool: x509.NewCertPool(), known: map[Fingerprint]known{}}
	if s.Anchors, err = parseAuthorities(text); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Authorities, err)
	}
	for _, c := range s.Anchors {
		s.pool.AddCert(c)
	}
	if f.One && s.several() {
		return nil, fmt.Errorf("%s: %w", f.Authorities, ErrSeveral)
	}
	if f.Lists == "" {
		return s, nil
	}
	s.listed = true
	if text, err = value.ReadFile(string(f.Lists), maxLists); err != nil {
		return nil, err
	}
	if s.lists, err = parseLists(text); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Lists, err)
	}
	for _, l := range s.lists {
		if s.stale.IsZero() || l.until.Before(s.stale) {
			s.stale = l.until
		}
	}
	return s, nil
}

// ErrSeveral says that there are several authorities where one is due.
var ErrSeveral = errors.New("it holds several authorities, each of which could give the same name to somebody else")

func parseAuthorities(text []byte) ([]*x509.Certificate, error) {
	ders, err := blocks(text, "CERTIFICATE", "certificate")
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		if !c.BasicConstraintsValid || !c.IsCA {
			return nil, fmt.Errorf("the certificate of %s is no authority's", c.Subject)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	return all, nil
}

// several reports authorities of different keys. One that was renewed is still one.
func (s *Set) several() bool {
	for _, c := range s.Anchors[1:] {
		if !bytes.Equal(c.RawSubjectPublicKeyInfo, s.Anchors[0].RawSubjectPublicKeyInfo) {
			return true
		}
	}
	return false
}

// Has reports an authority by its fingerprint.
func (s *Set) Has(f Fingerprint) bool {
	for _, c := range s.Anchors {
		if FingerprintOf(c) == f {
			return true
		}
	}
	return false
}
