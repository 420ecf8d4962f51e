package authhandlers

import "strings"

// KeyPrefix begins each of Catflap's own API keys, so that people who find one know
// what it is, and secret scanners find it.
const KeyPrefix = "catflap_"

// KeyHolder is the ability of the handler of Catflap's own API keys. What begins like
// one is shown to handlers with this ability alone: it must never reach an
// introspection endpoint, a webhook, or anybody else who could keep it.
type KeyHolder interface {
	// ActsFor returns the alias of the people that a key acts for, if u is one of them. It
	// stands before their ids instead of the handler's own. Of a key's owner it is empty.
	ActsFor(u *AuthUserInfo) (alias string)
}

// LikeKey reports a text that is meant as one of Catflap's own API keys, in letters of any
// case and whatever stands behind.
func LikeKey(text string) bool {
	return len(text) >= len(KeyPrefix) && strings.EqualFold(text[:len(KeyPrefix)], KeyPrefix)
}

// IsKey reports a credential that is meant as one of Catflap's own API keys.
func (c *Credential) IsKey() bool { return c != nil && LikeKey(c.Value) }

// seesKeys reports whether the handler may see API keys.
func seesKeys(h AuthHandler) bool {
	_, ok := h.(KeyHolder)
	return ok
}

// actsFor is the alias of a key's people, if u is one of them, or nothing.
func (l *Link) actsFor(u *AuthUserInfo) string {
	if h, ok := l.Handler.(KeyHolder); ok {
		return h.ActsFor(u)
	}
	return ""
}

// ActsFor returns the alias of an API key's people, if somebody is one of those that it
// acts for. They come by one credential, and have bounds in common. Of others it is empty.
func (c *Chain) ActsFor(u *AuthUserInfo) string {
	if l := c.link(u.Handler); l != nil {
		return l.actsFor(u)
	}
	return ""
}

// aliasOf is what stands before the person's id: the handler's alias, or that of a key
// which acts for others. The latter is never a handler's: its people are others.
func (c *Chain) aliasOf(l *Link, u *AuthUserInfo) (string, error) {
	alias := l.actsFor(u)
	if alias == "" {
		return l.Alias, nil
	}
	for i := range c.links {
		if c.links[i].Alias == alias {
			return "", Reject(CodeInvalidUserID, "this key acts for people whose ids would be another handler's; tell the operator",
				"the alias %q of the key is that of the handler %s", alias, c.links[i].Name)
		}
	}
	return alias, ValidAlias(alias)
}
