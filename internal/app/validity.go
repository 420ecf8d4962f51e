package app

import (
	"fmt"
	"time"
)

// certificateWarning is the longest time before its end in which a certificate is to be
// renewed; of a short life it is the last tenth.
const certificateWarning = 14 * 24 * time.Hour

// validity is what the clock makes of a certificate.
type validity uint8

const (
	valid validity = iota
	endsSoon
	expired
	early // not valid yet
)

// ends is when the certificate expires; zero if there is none.
func (c *certificate) ends() time.Time {
	if c == nil {
		return time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.pair.Leaf.NotAfter
}

// judge says what the clock makes of the certificate, and in words.
func (c *certificate) judge() (validity, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.judged()
}

// judged is judge in a locked certificate.
func (c *certificate) judged() (validity, string) {
	leaf, now := c.pair.Leaf, c.now()
	end := leaf.NotAfter.UTC().Format(time.RFC3339)
	switch left := leaf.NotAfter.Sub(now); {
	case now.Before(leaf.NotBefore):
		return early, fmt.Sprintf("the certificate of tls.cert_file is valid only from %s: look at the clock of this machine", leaf.NotBefore.UTC().Format(time.RFC3339))
	case left < 0:
		return expired, "the certificate of tls.cert_file expired at " + end + ": clients refuse to connect; renew the files"
	case left < min(certificateWarning, leaf.NotAfter.Sub(leaf.NotBefore)/10):
		return endsSoon, "the certificate of tls.cert_file expires at " + end + ": renew the files"
	}
	return valid, ""
}

// watch says once in the log when the certificate is soon to expire, and when it has.
func (c *certificate) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	is, why := c.judged()
	if is == c.said {
		return
	}
	c.said = is
	switch is {
	case expired, early:
		c.log.Error("the certificate is not valid", "reason", why)
	case endsSoon:
		c.log.Warn("the certificate ends soon", "reason", why)
	case valid: // the clock was set
	}
}
