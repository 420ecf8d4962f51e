package config

import (
	"bytes"
	"slices"

	"github.com/catflap/catflap/config/value"
)

// Provisions reports whether users are made at the Cat for the handler's people.
func (h Handler) Provisions() bool { return h.Provision != nil && *h.Provision }

// EffectiveAlias is the alias that is written before the user ids.
func (h Handler) EffectiveAlias() string {
	if h.Alias == nil && ownUsers(h) {
		return ""
	}
	if h.Alias == nil {
		return h.Name
	}
	return *h.Alias
}

// ownUsers reports a handler for the Cat's own users: their ids have always been bare.
func ownUsers(h Handler) bool {
	s, ok := h.Settings.(interface{ BareIDs() bool })
	return ok && s.BareIDs()
}

// OwnUsers returns the handler for the Cat's own users and its place, or -1.
func (c *Config) OwnUsers() (Handler, int) {
	i := slices.IndexFunc(c.Handlers, ownUsers)
	if i < 0 {
		return Handler{}, -1
	}
	return c.Handlers[i], i
}

// CatSecret is the secret by which the Cat's own users are known, and its field; "" where
// no handler has one.
func (c *Config) CatSecret() (field string, secret value.Secret) {
	h, i := c.OwnUsers()
	s, ok := h.Settings.(interface {
		CatSecret() (field string, secret value.Secret)
	})
	if !ok {
		return "", value.Secret{}
	}
	field, secret = s.CatSecret()
	return below(item("handlers", i), field), secret
}

func (c *Config) ownSecretField() string {
	field, _ := c.CatSecret()
	return field
}

// ownUsers holds what a handler for the Cat's own users needs of the rest.
func (v *validator) ownUsers() {
	h, first := v.c.OwnUsers()
	v.provision(first)
	if first < 0 {
		return
	}
	at := item("handlers", first)
	for i, other := range v.c.Handlers {
		if i != first && ownUsers(other) {
			v.bad(item("handlers", i), "the Cat's own users are those of "+named(first, h)+" already", "remove one of the two")
		}
	}
	if len(v.c.Cat.URLs) > 0 {
		v.bad(at, "each of several Cats has users of its own, and which Cat is somebody's follows from who they are", "write cat.url with one Cat, or remove the handler")
	}
	if v.c.Cat.Credential == "minted" && !slices.ContainsFunc(v.c.Cat.ServiceAccounts, listsUsers) {
		v.bad(at, "no service account may list the Cat's users, so that nobody could be looked up", `add an account with permissions: ["*"], or with USERS:LIST among others, to cat.service_accounts`)
	}
}

// provision holds what it needs to have users made for people.
func (v *validator) provision(own int) {
	for i, h := range v.c.Handlers {
		at := below(item("handlers", i), "provision")
		switch {
		case !h.Provisions():
		case i == own:
			v.bad(at, "these are the Cat's own users already", "remove it")
		case own < 0:
			v.bad(at, "no handler knows who the Cat's users are", "add a handler of the type catuser; its login can stay closed")
		case v.c.Cat.Credential == "minted" && !slices.ContainsFunc(v.c.Cat.ServiceAccounts, func(a ServiceAccount) bool { return slices.Contains(a.Permissions, "*") }):
			v.bad(at, "no service account may make users at the Cat", `add an account with permissions: ["*"] to cat.service_accounts`)
		}
	}
}

func listsUsers(a ServiceAccount) bool {
	return slices.ContainsFunc(a.Permissions, func(p string) bool { return p == "*" || p == "USERS:*" || p == "USERS:LIST" })
}

// sameSecret finds two texts for the one secret of the Cat.
func (i *inspection) sameSecret() {
	field, secret := i.c.CatSecret()
	if field == "" || secret.IsZero() || i.c.Cat.JWTSecret.IsZero() {
		return
	}
	own, err1 := secret.Read()
	cats, err2 := i.c.Cat.JWTSecret.Read()
	if err1 == nil && err2 == nil && !bytes.Equal(own, cats) {
		i.bad(field, "it differs from cat.jwt_secret, and the Cat has one secret", "name the same variable or file in both")
	}
}
