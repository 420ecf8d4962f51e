package oidc

import (
	"context"
	"fmt"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// userInfo asks the userinfo endpoint about the person of an access token. Its sub
// must be the one that is known already (OpenID Connect Core §5.3.2): the endpoint is
// not asked who this is, but what they are.
func (h *handler) userInfo(ctx context.Context, m *metadata, accessToken, sub string) (strictjson.Object, error) {
	if m.userInfo == "" {
		return nil, setup("the provider names no userinfo endpoint")
	}
	o, err := getObject(ctx, h.client, m.userInfo, accessToken)
	if err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	if sub == "" || text(o, "sub") != sub {
		return nil, reject(authhandlers.CodeInvalidClaim, "the provider's answers are about two different people", "the sub of userinfo is another one")
	}
	return o, nil
}

// protocol are the claims that a token alone can say about itself.
func protocol() []string {
	return []string{
		"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "azp", "client_id", "nonce", "at_hash", "c_hash", "sid", "acr", "amr", "auth_time",
		"typ", "token_use", "events", "cnf", "_claim_names", "_claim_sources", "hasgroups",
	}
}

// merge adds to claims what only more has. An address and whether it is verified
// belong together: one of a pair is never taken beside the other's.
func merge(claims, more strictjson.Object) strictjson.Object {
	whole := slices.Clone(claims)
	_, address := claims.Get("email")
	_, verified := claims.Get("email_verified")
	left := protocol()
	if address || verified {
		left = append(left, "email", "email_verified")
	}
	for _, m := range more {
		if _, ok := claims.Get(m.Name); !ok && !slices.Contains(left, m.Name) {
			whole = append(whole, m)
		}
	}
	return whole
}
