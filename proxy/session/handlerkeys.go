package session

import (
	"fmt"

	"github.com/catflap/catflap/internal/seal"
)

// HandlerKeys derives a handler's own keys from those of the sessions (RFC 5869). They
// tell nothing of these, nor of another handler's.
func HandlerKeys(keys [][]byte, handler string) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := seal.Check(keys); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	own := make([][]byte, len(keys))
	for i, secret := range keys {
		key, err := seal.Derive(secret, "handler "+handler, seal.MinKey)
		if err != nil {
			return nil, err
		}
		own[i] = key
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
