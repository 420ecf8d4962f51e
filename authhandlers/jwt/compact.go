package jwt

import (
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// sharedLists bounds the lists of groups that are kept once for all who have them.
const sharedLists = 1024

// compact makes a person fit to be remembered for hours: nothing of it shares
// memory with the token's payload any more, equal groups are kept once, and the
// other texts are copied into one piece.
func (h *handler) compact(info *authhandlers.AuthUserInfo) {
	info.Groups = h.lists.Share(info.Groups)
	texts := []*string{&info.Subject, &info.Name, &info.SessionID}
	for name, values := range info.Claims {
		info.Claims[name] = h.lists.Share(values)
	}
	if info.Sub != nil {
		texts = append(texts, info.Sub)
	}
	size := 0
	for _, t := range texts {
		size += len(*t)
	}
	var b strings.Builder
	b.Grow(size)
	for _, t := range texts {
		b.WriteString(*t)
	}
	all, at := b.String(), 0
	for _, t := range texts {
		n := len(*t)
		*t = all[at : at+n]
		at += n
	}
}
