package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair writes a certificate that is valid for so long, and its key.
func writePair(t *testing.T, dir string, from, until time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(until.Unix()), NotBefore: from, NotAfter: until, DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "EC PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// TestACertificateThatEndsAtRunTime is told of once before its end, once at its end, and
// no more when another has come, which no client need ask for.
func TestACertificateThatEndsAtRunTime(t *testing.T) {
	dir := t.TempDir()
	begin := time.Now().Truncate(time.Second)
	now := begin.Add(-time.Hour)
	end := begin.Add(90 * 24 * time.Hour)
	var log bytes.Buffer
	c, err := func() (*certificate, error) {
		certFile, keyFile := writePair(t, dir, begin, end)
		return newCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	}()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		at     time.Time
		want   validity
		logged string
	}{
		{begin.Add(-time.Hour), early, "level=ERROR"},
		{begin.Add(time.Hour), valid, ""},
		{end.Add(-10 * 24 * time.Hour), valid, ""},
		{end.Add(-8 * 24 * time.Hour), endsSoon, "level=WARN"},
		{end.Add(-time.Hour), endsSoon, ""},
		{end.Add(time.Second), expired, "level=ERROR"},
		{end.Add(time.Hour), expired, ""},
	} {
		now = step.at
		log.Reset()
		c.watch()
		if is, why := c.judge(); is != step.want || (why == "") != (is == valid) {
			t.Errorf("at %v: %v %q", step.at, is, why)
		}
		if text := log.String(); !strings.Contains(text, step.logged) || (text == "") != (step.logged == "") {
			t.Errorf("at %v the log says %q", step.at, text)
		}
	}
	next := now.Add(365 * 24 * time.Hour)
	writePair(t, dir, begin, next)
	now = now.Add(time.Minute)
	c.watch()
	if is, why := c.judge(); is != valid || !c.ends().Equal(next) {
		t.Errorf("renewed: %v %q, ends %v", is, why, c.ends())
	}
}
