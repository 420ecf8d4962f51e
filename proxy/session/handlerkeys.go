package session

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// HandlerKeys derives a handler's own keys from those of the sessions (RFC 5869). They
// tell nothing of these, nor of another handler's.
func HandlerKeys(keys [][]byte, handler string) ([][]byte, error) {
	own := make([][]byte, 0, len(keys))
	for i, secret := range keys {
		if len(secret) < minKey {
			return nil, fmt.Errorf("session: key %d has %d bytes; it needs at least %d", i, len(secret), minKey)
		}
		key, err := hkdf.Key(sha256.New, secret, nil, "catflap handler "+handler, minKey)
		if err != nil {
			return nil, err
		}
		own = append(own, key)
	}
	return own, nil
}

// HandlerCookie is the name of a handler's own cookie, where browsers see publicURL. It
// is empty where cookies would not be safe ([New] says where).
func HandlerCookie(publicURL, handler string) string {
	c, err := newCookies(publicURL)
	if err != nil {
		return ""
	}
	return c.session + "-at-" + handler
}
