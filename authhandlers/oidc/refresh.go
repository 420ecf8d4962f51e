package oidc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// believed is how long a renewal holds whose answer does not say.
const believed = time.Hour

// RefreshLogin renews a login, and reads again what the person is. When the provider
// has renewed it, but can't be asked what the person is, the new refresh token must
// not be lost with that fault: the login comes back as it was, with its old end.
func (h *handler) RefreshLogin(ctx context.Context, old *authhandlers.Login) (*authhandlers.Login, error) {
	if old.RefreshToken == "" {
		return nil, ended("there is no refresh token")
	}
	before, err := jwt.Peek(old.IDToken)
	if err != nil {
		return nil, fmt.Errorf("the kept ID token: %w", err)
	}
	m, err := h.discovery.document(ctx)
	if err != nil {
		return nil, err
	}
	got, err := h.renew(ctx, m, old.RefreshToken)
	if err != nil {
		return nil, err
	}
	next := *old
	next.RefreshToken = got.refresh
	err = h.renewed(ctx, m, got, text(before, "sub"), &next)
	if _, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return nil, err
	}
	if err != nil {
		h.log.Warn("a login was renewed, but not what the person is", "error", err)
		kept := *old
		kept.RefreshToken = got.refresh
		return &kept, nil
	}
	return &next, nil
}

// renewed writes what the renewal brought into the login of the person sub.
func (h *handler) renewed(ctx context.Context, m *metadata, got *grant, sub string, l *authhandlers.Login) error {
	expiry := h.now().Add(believed)
	var claims strictjson.Object
	var err error
	switch {
	case got.id == "" && got.access == "":
		return errors.New("the answer has no token")
	case got.id != "":
		var id *idToken
		if id, err = h.verifyID(ctx, got.id, got.access); err != nil {
			return err
		}
		if text(id.claims, "sub") != sub { // OpenID Connect Core §12.2
			return ended("the renewed ID token is somebody else's")
		}
		l.IDToken, l.IssuedAt, expiry = id.raw, id.issuedAt, id.expiry
		claims, err = h.complete(ctx, m, got.access, id.claims)
	case m.userInfo != "" && (h.askUserInfo || len(h.granting) > 0):
		if claims, err = h.userInfo(ctx, m, got.access, sub); err == nil && h.elsewhere(claims) != nil {
			err = tooManyGroups("userinfo does not name the groups")
		}
	}
	if err != nil {
		return err
	}
	l.Until = h.until(got, expiry)
	if claims == nil {
		return nil // nobody says anything new
	}
	person, err := h.reader.Person(claims)
	if err != nil {
		return err
	}
	if person.Subject != l.Person.Subject {
		return ended("the claim with the user id names somebody else now")
	}
	if person.SessionID == "" {
		person.SessionID = l.Person.SessionID
	}
	l.Person = person
	return nil
}
