package app

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateLook is how often, at most, the files are looked at.
const certificateLook = time.Second

// certificate is a key pair that is read again when its files change. A pair that
// can't be used leaves the last good one in place.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	stamp  stamp
}

// stamp tells one state of the two files from another.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.pair, c.stamp, c.looked = &pair, c.read(), time.Now()
	return c, nil
}

// get is the tls.Config's GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certificateLook {
		c.looked = now
		if s := c.read(); s != c.stamp {
			c.renew(s)
		}
	}
	return c.pair, nil
}

func (c *certificate) renew(s stamp) {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		// The two files may be half-written: the stamp stays, so that the next look
		// tries again.
		c.log.Error("the certificate can't be renewed; the last good one is served", "err", err.Error())
		return
	}
	c.pair, c.stamp = &pair, s
	c.log.Info("the certificate was renewed")
}

func (c *certificate) read() (s stamp) {
	if f, err := os.Stat(c.certFile); err == nil {
		s.cert, s.certSize = f.ModTime(), f.Size()
	}
	if f, err := os.Stat(c.keyFile); err == nil {
		s.key, s.keySize = f.ModTime(), f.Size()
	}
	return s
}
