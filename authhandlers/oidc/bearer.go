package oidc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// checkBearer adds to what package jwt refuses: a client that comes as itself, and
// groups that are not in the token.
func (h *handler) checkBearer(claims strictjson.Object, isID bool) error {
	if client, is := serviceAccount(claims); is && !slices.Contains(h.services, client) {
		return reject(authhandlers.CodeClientNotAllowed, "the token was made for a program, not for a person, and this program is not accepted here",
			"the claims are those of the client %s, which is not one of service_accounts", jwt.Quote(client))
	}
	if h.elsewhere(claims) != nil && (!h.lookUp || isID && h.graph == nil) { // an ID token opens no userinfo endpoint
		return tooManyGroups("the token does not name its groups")
	}
	return nil
}

// completeBearer asks for the groups that the token does not name.
func (h *handler) completeBearer(ctx context.Context, token string, claims strictjson.Object, info *authhandlers.AuthUserInfo) error {
	if h.elsewhere(claims) == nil {
		return nil
	}
	m, err := h.discovery.document(ctx)
	if err != nil {
		return err
	}
	whole, err := h.wholeBearer(ctx, m, token, claims)
	if err != nil {
		return err
	}
	found, err := h.reader.Person(whole)
	if err != nil {
		return err
	}
	info.Groups, info.Claims = found.Groups, found.Claims
	return nil
}

// wholeBearer is the claims of a bearer token with those that are elsewhere.
func (h *handler) wholeBearer(ctx context.Context, m *metadata, token string, claims strictjson.Object) (strictjson.Object, error) {
	if h.graph != nil {
		return h.graph.withGraph(ctx, m, claims)
	}
	more, err := h.userInfo(ctx, m, token, text(claims, "sub"))
	if s, ok := errors.AsType[*statusError](err); ok && (s.status == http.StatusUnauthorized || s.status == http.StatusForbidden) {
		return nil, tooManyGroups("userinfo does not take the token")
	}
	if err != nil {
		return nil, err
	}
	return h.withGroups(claims, more)
}

// serviceAccount tells a token that a client got for itself (RFC 6749 §4.4) from one
// that it got for a person, by what providers put there: RFC 9068 §2.2 the client as
// sub; Keycloak a user of its own, and the client's address; Auth0 the grant; Entra ID
// idtyp, or the same object as oid and sub. The client is "" where none is named.
func serviceAccount(claims strictjson.Object) (client string, is bool) {
	client = jwt.Client(claims)
	sub, name := text(claims, "sub"), text(claims, "preferred_username")
	switch {
	case client != "" && (sub == client || sub == client+"@clients"),
		client != "" && strings.EqualFold(name, "service-account-"+client),
		text(claims, "clientAddress") != "",
		text(claims, "clientHost") != "",
		text(claims, "idtyp") == "app",
		isGrant(claims, "client-credentials"),
		text(claims, "tid") != "" && sub != "" && text(claims, "oid") == sub:
		return client, true
	}
	return client, false
}

// isGrant reads gty, which is a text or a list.
func isGrant(claims strictjson.Object, grant string) bool {
	v, _ := claims.Get("gty")
	list, _ := v.Strings()
	return text(claims, "gty") == grant || slices.Contains(list, grant)
}

// text returns a claim that is a string, or "".
func text(claims strictjson.Object, name string) string {
	v, _ := claims.Get(name)
	s, _ := v.Str()
	return s
}
