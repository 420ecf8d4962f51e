package inquiry

import (
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// own copies the texts of a person, which would keep the whole answer in memory.
func own(u *authhandlers.AuthUserInfo) {
	u.Subject, u.Name, u.SessionID = strings.Clone(u.Subject), strings.Clone(u.Name), strings.Clone(u.SessionID)
	if u.Sub != nil {
		sub := strings.Clone(*u.Sub)
		u.Sub = &sub
	}
	u.Groups, u.Permissions = ownAll(u.Groups), ownAll(u.Permissions)
	if u.Claims == nil {
		return
	}
	claims := make(map[string][]string, len(u.Claims))
	for name, values := range u.Claims {
		claims[name] = ownAll(values)
	}
	u.Claims = claims
}

// ownAll keeps what is nil nil.
func ownAll(list []string) []string {
	if list == nil {
		return nil
	}
	copied := make([]string, len(list))
	for i, s := range list {
		copied[i] = strings.Clone(s)
	}
	return copied
}
