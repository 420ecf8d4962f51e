package authhandlers

import "strings"

// KeyPrefix begins each of Catflap's own API keys, so that whoever finds one knows what
// it is, and secret scanners find it.
const KeyPrefix = "catflap_"

// KeyHolder is the ability of the handler of Catflap's own API keys. What begins like
// one is shown to handlers with this ability alone: it must never reach an
// introspection endpoint, a webhook, or anybody else who could keep it.
type KeyHolder interface {
	// HoldsKeys does nothing: that it is there says it all.
	HoldsKeys()
}

// IsKey reports a credential that is meant as one of Catflap's own API keys, in letters
// of any case and whatever stands behind.
func (c *Credential) IsKey() bool {
	return c != nil && len(c.Value) >= len(KeyPrefix) && strings.EqualFold(c.Value[:len(KeyPrefix)], KeyPrefix)
}

// seesKeys reports whether the handler may see API keys.
func seesKeys(h AuthHandler) bool {
	_, ok := h.(KeyHolder)
	return ok
}
