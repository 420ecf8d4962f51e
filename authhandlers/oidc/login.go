package oidc

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// maxCodeBytes bounds an authorization code. Entra ID's have some 1,500.
const maxCodeBytes = 8 << 10

// BeginLogin returns the address of the authorization endpoint for an attempt.
func (h *handler) BeginLogin(ctx context.Context, a authhandlers.LoginAttempt) (string, error) {
	// RFC 7636 §4.1 wants 43 characters; a state or nonce that is guessed is none.
	if len(a.Verifier) < 43 || len(a.Verifier) > 128 || len(a.State) < 16 || len(a.Nonce) < 16 || a.RedirectURI == "" {
		return "", errors.New("an incomplete attempt")
	}
	m, err := h.discovery.document(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce)}
	for _, name := range slices.Sorted(maps.Keys(h.params)) {
		options = append(options, oauth2.SetAuthURLParam(name, h.params[name]))
	}
	if prompt := h.prompt(a.Again); prompt != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", prompt))
	}
	return h.oauth(m, a.RedirectURI).AuthCodeURL(a.State, options...), nil
}

// prompt is what the provider has to ask the person. Who wants to be somebody else has
// to be asked who they are, whatever is configured.
func (h *handler) prompt(again bool) string {
	words := strings.Fields(h.params["prompt"])
	if again && !slices.Contains(words, "login") && !slices.Contains(words, "select_account") {
		words = append(words, "login")
	}
	return strings.Join(words, " ")
}

// FinishLogin spends the code of the provider's answer, and verifies whose it is.
func (h *handler) FinishLogin(ctx context.Context, a authhandlers.LoginAttempt, answer url.Values) (*authhandlers.Login, error) {
	m, err := h.discovery.document(ctx)
	if err != nil {
		return nil, err
	}
	code, err := h.readAnswer(m, answer)
	if err != nil {
		return nil, err
	}
	got, err := h.exchange(ctx, m, a, code)
	if err != nil {
		return nil, err
	}
	if got.id == "" {
		return nil, setup("the provider sent no ID token; is openid among the scopes that it allows?")
	}
	id, err := h.verifyID(ctx, got.id, got.access)
	if err != nil {
		return nil, err
	}
	if err := checkNonce(id, a.Nonce); err != nil {
		return nil, err
	}
	claims, err := h.complete(ctx, m, got.access, id.claims)
	if err != nil {
		return nil, err
	}
	person, err := h.reader.Person(claims)
	if err != nil {
		return nil, err
	}
	return &authhandlers.Login{
		Person: person, IDToken: id.raw, RefreshToken: got.refresh, IssuedAt: id.issuedAt, Until: h.until(got, id.expiry),
		Terms: h.terms,
	}, nil
}

// readAnswer returns the code of the provider's answer (RFC 6749 §4.1.2), if it is
// this provider's (RFC 9207 §2.4).
func (h *handler) readAnswer(m *metadata, answer url.Values) (string, error) {
	for name, values := range answer {
		if len(values) != 1 {
			return "", failed("the parameter %s comes %d times", jwt.Quote(name), len(values))
		}
	}
	iss, named := answer["iss"]
	if named && iss[0] != h.issuer {
		return "", failed("the answer is that of issuer %s", jwt.Quote(iss[0]))
	}
	if answer.Has("error") {
		return "", refusedAt(answer.Get("error"))
	}
	if !named && m.namesItself {
		return "", failed("the answer does not name its issuer, as this provider always does")
	}
	code := answer.Get("code")
	if code == "" || len(code) > maxCodeBytes {
		return "", failed("the answer has no code, or one of more than 8 KiB")
	}
	return code, nil
}

// refusedAt reads why the authorization endpoint gave no code (RFC 6749 §4.1.2.1).
func refusedAt(code string) error {
	switch code {
	case "access_denied":
		return reject(authhandlers.CodeLoginDenied, "the sign-in was cancelled, or your provider does not let you in here", "the provider answered access_denied")
	case "unauthorized_client", "invalid_client", "invalid_scope", "invalid_target", "unsupported_response_type", "request_not_supported":
		return setup("the provider answered %s", jwt.Quote(code))
	}
	return failed("the provider answered %s", jwt.Quote(code))
}

// complete adds what the userinfo endpoint says, if it is to be asked.
func (h *handler) complete(ctx context.Context, m *metadata, accessToken string, claims strictjson.Object) (strictjson.Object, error) {
	over := h.elsewhere(claims) != nil // and overage is not refuse: verifyID has refused it else
	if over && h.graph != nil {
		var err error
		if claims, err = h.graph.withGraph(ctx, m, claims); err != nil {
			return nil, err
		}
		over = false
	}
	if !over && !h.askUserInfo {
		return claims, nil
	}
	if accessToken == "" {
		return nil, setup("the provider gave no access token, with which userinfo could be asked")
	}
	more, err := h.userInfo(ctx, m, accessToken, text(claims, "sub"))
	if s, ok := errors.AsType[*statusError](err); ok && s.refuses() {
		return nil, setup("%w", err) // it was asked with the provider's own, fresh token
	}
	if err != nil {
		return nil, err
	}
	if over {
		return h.withGroups(claims, more)
	}
	if h.elsewhere(more) != nil {
		return nil, tooManyGroups("userinfo does not name the groups")
	}
	return merge(claims, more), nil
}

// until is the end of what the provider said: that of the access token, or of the ID
// token where it does not say, and never later than the configuration believes it.
func (h *handler) until(got *grant, expiry time.Time) time.Time {
	now := h.now()
	end := expiry
	if got.lasts > 0 {
		end = now.Add(got.lasts)
	}
	if latest := now.Add(h.maxLifetime); end.After(latest) {
		return latest
	}
	return end
}
