package upstream

import (
	"crypto/sha256"
	"encoding/binary"
	"net/url"
	"strings"
)

// weight is how much a person belongs to a Cat: they go to the heaviest (highest
// random weight, Thaler and Ravishankar 1998). It is the first eight bytes, the
// highest first, of SHA-256 over the Cat's name, a zero byte and the person's id.
// Where people's memories are follows from it, so it must never change: not with
// the order of the list, not over a restart, not with a version of Catflap. A Cat
// that comes or goes moves its own share of the people and nobody else.
func weight(cat, id string) uint64 {
	var room [256]byte
	b := append(room[:0], cat...)
	b = append(b, 0)
	b = append(b, id...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8])
}

// catName is the address of a Cat in one spelling: scheme, host and port, in lower
// case, the port always written.
func catName(base *url.URL) string {
	return strings.ToLower(base.Scheme + "://" + Authority(base))
}
