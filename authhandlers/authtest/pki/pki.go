// Package pki makes authorities and client certificates for tests.
//
// The rule it guards: a test says of a certificate what matters to it, and the rest is
// as a careful authority would have it.
package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"sync/atomic"
	"testing"
	"time"
)

// Authority issues certificates.
type Authority struct {
	// Certificate is the authority's own.
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	above       []*Authority // that vouch for it, the nearest first
	serial      atomic.Int64
}

// Change alters a certificate before it is signed.
type Change func(*x509.Certificate)

// Named gives the subject a common name.
func Named(name string) Change {
	return func(c *x509.Certificate) { c.Subject.CommonName = name }
}

// Ends says when the certificate ends.
func Ends(at time.Time) Change { return func(c *x509.Certificate) { c.NotAfter = at } }

// New makes an authority that vouches for itself.
func New(t testing.TB, name string, changes ...Change) *Authority {
	t.Helper()
	a := &Authority{key: newKey(t)}
	template := authority(name)
	for _, change := range changes {
		change(template)
	}
	a.Certificate = sign(t, template, template, &a.key.PublicKey, a.key)
	return a
}

// Below makes an authority that this one vouches for.
func (a *Authority) Below(t testing.TB, name string) *Authority {
	t.Helper()
	sub := &Authority{key: newKey(t), above: append([]*Authority{a}, a.above...)}
	template := authority(name)
	template.SerialNumber = big.NewInt(a.serial.Add(1) + 100)
	sub.Certificate = sign(t, template, a.Certificate, &sub.key.PublicKey, a.key)
	return sub
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// Issue makes a client certificate, with the authorities in between.
func (a *Authority) Issue(t testing.TB, changes ...Change) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial.Add(1) + 100), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, change := range changes {
		change(template)
	}
	c := sign(t, template, a.Certificate, &key.PublicKey, a.key)
	issued := tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}
	for between := a; len(between.above) > 0; between = between.above[0] {
		issued.Certificate = append(issued.Certificate, between.Certificate.Raw)
	}
	return issued
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() string { return PEM("CERTIFICATE", a.Certificate.Raw) }

// Fingerprint is the SHA-256 of the authority's own certificate.
func (a *Authority) Fingerprint() string { return Fingerprint(a.Certificate.Raw) }

// Fingerprint is the SHA-256 of a certificate, in hexadecimal.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Revoked is the authority's revocation list, current until then.
func (a *Authority) Revoked(t testing.TB, until time.Time, certificates ...*x509.Certificate) string {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(a.serial.Add(1)), ThisUpdate: until.Add(-time.Hour), NextUpdate: until}
	for _, c := range certificates {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.Certificate, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return PEM("X509 CRL", der)
}

// PEM writes one block.
func PEM(kind string, der []byte) string {
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}) // a buffer takes all
	return b.String()
}

// Files are a certificate with those in between, and its key, as PEM.
func Files(t testing.TB, c tls.Certificate) (certificate, key string) {
	t.Helper()
	for _, der := range c.Certificate {
		certificate += PEM("CERTIFICATE", der)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, PEM("PRIVATE KEY", der)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
