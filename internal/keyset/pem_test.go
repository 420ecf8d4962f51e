package keyset_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/keyset"
)

func TestPEM(t *testing.T) {
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	spki := func(k *issuer.Key) []byte {
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		return block("PUBLIC KEY", der)
	}
	r, e, d := newKey(t, "", "RS256"), newKey(t, "", "ES256"), newKey(t, "", "EdDSA")
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, e.Public(), e.Private)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(e.Private)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		text []byte
		keys int
	}{
		{"RSA", spki(r), 1},
		{"RSA, PKCS #1", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(r.Public().(*rsa.PublicKey))), 1},
		{"Ed25519", spki(d), 1},
		{"certificate", block("CERTIFICATE", cert), 1},
		{"one of each", append(append(spki(r), spki(e)...), spki(d)...), 3},
		{"text around", append([]byte("our issuer's key:\n"), spki(e)...), 1},
		{"two of a kind", append(spki(e), block("CERTIFICATE", cert)...), 0},
		{"private", block("PRIVATE KEY", private), 0},
		{"nothing", nil, 0},
		{"no PEM", []byte("-----BEGIN PUBLIC KEY-----\nAAAA"), 0},
		{"half", append(spki(e), []byte("-----BEGIN PUBLIC KEY-----\nAAAA")...), 0},
		{"no key inside", block("PUBLIC KEY", []byte("x")), 0},
		{"other block", block("X509 CRL", []byte("x")), 0},
		{"other curve", spki(&issuer.Key{Private: p224}), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := keyset.ParsePEM(c.text, asymmetric())
			if len(keys) != c.keys || (err == nil) != (c.keys > 0) {
				t.Errorf("%d keys, %v; want %d", len(keys), err, c.keys)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "k.pem")
	if err := os.WriteFile(path, append(spki(r), spki(e)...), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := keyset.OpenPEM(path, keyset.Options{Algorithms: asymmetric(), Now: authtest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	e.ID = "an id that PEM can't hold"
	for _, k := range []*issuer.Key{r, e} {
		if _, err := s.VerifySignature(t.Context(), token(k)); err != nil {
			t.Errorf("%s: %v", k.Algorithm, err)
		}
	}
}

func TestSecret(t *testing.T) {
	all := []string{"HS256", "HS384", "HS512"}
	for _, c := range []struct {
		size int
		fits []string
	}{{31, nil}, {32, all[:1]}, {47, all[:1]}, {48, all[:2]}, {64, all}} {
		shared := make([]byte, c.size)
		s, err := keyset.OpenSecret(shared, keyset.Options{Algorithms: all, Now: authtest.NewClock().Now})
		if (err == nil) != (c.fits != nil) {
			t.Fatalf("%d bytes: %v", c.size, err)
		}
		if err != nil {
			continue
		}
		for i, a := range all {
			_, err := s.VerifySignature(t.Context(), token(&issuer.Key{ID: "any", Algorithm: a, Private: shared}))
			if (err == nil) != (i < len(c.fits)) {
				t.Errorf("%d bytes, %s: %v", c.size, a, err)
			}
		}
	}
}
