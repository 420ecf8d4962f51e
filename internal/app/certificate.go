package app

import (
	"crypto/tls"
	"log/slog"
	"sync"
	"time"

	"github.com/catflap/catflap/internal/reread"
)

// certificate is a key pair that is read again when its files change. A pair that
// can't be used leaves the last good one in place.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	stamp  reread.Stamp
	said   validity // in the log, of this pair
}

func newCertificate(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, now: now}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.pair, c.stamp, c.looked = &pair, c.read(), now()
	return c, nil
}

// get is the tls.Config's GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.pair, nil
}

// look reads the files again if they have changed. The certificate is locked.
func (c *certificate) look() {
	if now := c.now(); now.Sub(c.looked) >= reread.Every {
		c.looked = now
		if s := c.read(); !s.Same(c.stamp) {
			c.renew(s)
		}
	}
}

func (c *certificate) renew(s reread.Stamp) {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		// The two files may be half-written: the stamp stays, so that the next look
		// tries again.
		c.log.Error("the certificate can't be renewed; the last good one is served", "err", err.Error())
		return
	}
	c.pair, c.stamp, c.said = &pair, s, valid
	c.log.Info("the certificate was renewed")
}

func (c *certificate) read() reread.Stamp { return reread.Look(c.certFile, c.keyFile) }
