package catuser

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
)

type handler struct {
	keys    *keyset.Set
	now     func() time.Time
	longest time.Duration
	roll    *roll
}

// Authenticate takes bearer credentials that are JWTs without an iss.
func (h *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() {
		return nil, authhandlers.ErrNoCredential
	}
	return h.admit(ctx, r.Credential.Value, r.Lasting)
}

func (h *handler) admit(ctx context.Context, token string, lasting bool) (*authhandlers.AuthUserInfo, error) {
	c, err := h.read(token)
	if err != nil {
		return nil, err
	}
	key, err := h.verify(ctx, c.token)
	if err != nil {
		return nil, err
	}
	u, err := h.roll.find(ctx, c.sub)
	if err != nil {
		return nil, err
	}
	info, err := c.person(u)
	if err != nil {
		return nil, err
	}
	h.roll.watch(info.Expiry)
	if lasting {
		info.Evidence = evidence(token, key)
	}
	return info, nil
}

// person is the user of a token. One who has been renamed since is another person to
// the Cat, who remembers people by their names.
func (c *claim) person(u *authhandlers.CatUser) (*authhandlers.AuthUserInfo, error) {
	if u.Name != c.name {
		return nil, reject(authhandlers.CodeUserGone, "the Cat knows you by another name now; sign in again", "the token's username is not that of its user")
	}
	info := personOf(u)
	info.Expiry, info.IssuedAt = c.expiry, c.issuedAt
	return info, nil
}

func personOf(u *authhandlers.CatUser) *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{
		Issuer: Issuer, Subject: u.Name, Sub: &u.ID, Name: u.Name, Permissions: u.Permissions,
	}
}

// CatAccount implements authhandlers.AccountHolder.
func (h *handler) CatAccount(u *authhandlers.AuthUserInfo) string {
	if u.Sub == nil {
		return ""
	}
	return *u.Sub
}

// evidence is the token, in which the thumbprint of the secret stands in the place of
// the signature: nobody can come in with that, and all that decides can be judged again.
func evidence(token string, key *keyset.Key) string {
	return token[:strings.LastIndexByte(token, '.')+1] + base64.RawURLEncoding.EncodeToString(key.Thumbprint())
}

// Rejudge implements authhandlers.Rejudger, for tokens and for sessions.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	if u.Session != "" {
		return h.present(u, h.roll.known)
	}
	c, err := h.read(u.Evidence)
	if err != nil {
		return nil, err
	}
	keys, err := h.keys.Present("", algorithm)
	same := func(k *keyset.Key) bool { return bytes.Equal(k.Thumbprint(), c.token.Signature()) }
	if err != nil || !slices.ContainsFunc(keys, same) {
		return nil, reject(authhandlers.CodeUnknownKey, "sign in again", "jwt_secret is another one now")
	}
	h.roll.watch(c.expiry)
	found, err := h.roll.known(c.sub)
	if err != nil {
		return nil, err
	}
	return c.person(found)
}

// present is the person of a login as they are by the list.
func (h *handler) present(u *authhandlers.AuthUserInfo, look func(id string) (*authhandlers.CatUser, error)) (*authhandlers.AuthUserInfo, error) {
	h.roll.watch(u.Expiry)
	if u.Sub == nil {
		return nil, reject(authhandlers.CodeUserGone, "sign in again", "the session is of no user of the Cat's")
	}
	found, err := look(*u.Sub)
	if err != nil {
		return nil, err
	}
	if found.Name != u.Subject {
		return nil, reject(authhandlers.CodeUserGone, "the Cat knows you by another name now; sign in again", "the session's user has been renamed")
	}
	again := personOf(found)
	again.Expiry, again.Session, again.SessionID = u.Expiry, u.Session, u.SessionID
	return again, nil
}

// Generation implements authhandlers.Rejudger.
func (h *handler) Generation() uint64 { return h.roll.poll() }

// Ready reports that the Cat's users can't be asked for, where they have been.
func (h *handler) Ready(context.Context) error { return h.roll.ready() }

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Prober      = (*handler)(nil)
	_ authhandlers.Rejudger    = (*handler)(nil)

	_ authhandlers.AccountHolder = (*handler)(nil)
)
