package oidc

import (
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// idToken is a verified ID token.
type idToken struct {
	raw              string
	claims           strictjson.Object
	issuedAt, expiry time.Time // expiry without the leeway
}

// verifyID verifies an ID token (OpenID Connect Core §3.1.3.7): signature, issuer,
// audience, kind, times, and that it belongs to this access token. The nonce is its
// caller's. go-oidc then verifies it once more by its own reading; it alone would
// fold the case of claims' names, take a claim twice, and know neither azp nor the
// kinds of tokens.
func (h *handler) verifyID(ctx context.Context, raw, accessToken string) (*idToken, error) {
	v, err := h.reader.VerifyAnswered(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := h.kindOfID(v); err != nil {
		return nil, err
	}
	end, err := h.reader.Times(v.Claims, h.now())
	if err != nil {
		return nil, err
	}
	issued, ok, err := jwt.Moment(v.Claims, "iat")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalid("iat is missing")
	}
	if text(v.Claims, "sub") == "" {
		return nil, invalid("sub is missing, or no string")
	}
	if err := h.madeForUs(v.Claims); err != nil {
		return nil, err
	}
	if h.elsewhere(v.Claims) != nil && !h.lookUp {
		return nil, tooManyGroups("the ID token does not name the groups")
	}
	second := gooidc.NewVerifier(h.issuer, verified{raw, v.Payload}, &gooidc.Config{
		ClientID: h.clientID, SupportedSigningAlgs: append([]string{"Ed25519"}, h.algorithms...), // EdDSA's other name
		Now: func() time.Time { return h.now().Add(-h.leeway) },
	})
	t, err := second.Verify(ctx, raw)
	if err != nil {
		return nil, invalid("go-oidc: %s", jwt.Quote(err.Error()))
	}
	if _, ok := v.Claims.Get("at_hash"); ok && accessToken != "" {
		if err := ofAccessToken(t, v.Algorithm, accessToken); err != nil {
			return nil, failed("the ID token belongs to another access token (at_hash)")
		}
	}
	return &idToken{raw: raw, claims: v.Claims, issuedAt: issued, expiry: end.Add(-h.leeway)}, nil
}

// ofAccessToken verifies at_hash (OpenID Connect Core §3.1.3.6). go-oidc knows EdDSA by
// one of its two names.
func ofAccessToken(t *gooidc.IDToken, algorithm, accessToken string) error {
	if algorithm != "EdDSA" {
		return t.VerifyAccessToken(accessToken)
	}
	sum := sha512.Sum512([]byte(accessToken))
	if accessToken == "" || t.AccessTokenHash != base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) {
		return errors.New("another access token")
	}
	return nil
}

// kindOfID refuses what the provider has signed to be something else (RFC 8725 §3.11).
func (h *handler) kindOfID(v *jwt.Verified) error {
	switch strings.TrimPrefix(strings.ToLower(v.Type), "application/") {
	case "", "jwt":
	default:
		return wrongType("typ of the header is %s", jwt.Quote(v.Type))
	}
	if _, ok := v.Claims.Get("events"); ok {
		return wrongType("events marks a logout or security event token")
	}
	for _, name := range []string{"typ", "token_use"} {
		if said, ok := v.Claims.Get(name); ok {
			if kind, ok := said.Str(); !ok || !strings.EqualFold(kind, "id") {
				return wrongType("%s is %s", name, jwt.Quote(kind))
			}
		}
	}
	return nil
}

// madeForUs checks aud and azp: the token is for this client, and this client is who
// the person has signed in to.
func (h *handler) madeForUs(claims strictjson.Object) error {
	aud, err := jwt.Audiences(claims)
	if err != nil {
		return err
	}
	if !slices.Contains(aud, h.clientID) {
		return reject(authhandlers.CodeWrongAudience, "the token is not meant for this service", "aud is %s; wanted: client_id, %s", jwt.QuoteAll(aud), jwt.Quote(h.clientID))
	}
	azp, ok := claims.Get("azp")
	switch party, isText := azp.Str(); {
	case ok && (!isText || party != h.clientID):
		return reject(authhandlers.CodeClientNotAllowed, "the token was made for a client that is not accepted here", "azp is %s, not client_id, %s", jwt.Quote(party), jwt.Quote(h.clientID))
	case !ok && len(aud) > 1:
		return reject(authhandlers.CodeClientNotAllowed, "the token was made for a client that is not accepted here", "several audiences, and no azp")
	}
	return nil
}

// checkNonce binds the ID token to the attempt (OpenID Connect Core §15.5.2).
func checkNonce(t *idToken, nonce string) error {
	if subtle.ConstantTimeCompare([]byte(text(t.claims, "nonce")), []byte(nonce)) != 1 {
		return failed("the nonce is not that of the attempt")
	}
	return nil
}

// verified is go-oidc's key set for a token that our own has verified.
type verified struct{ token, payload string }

func (v verified) VerifySignature(_ context.Context, token string) ([]byte, error) {
	if token != v.token {
		return nil, errors.New("another token")
	}
	return []byte(v.payload), nil
}
