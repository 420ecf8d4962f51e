package introspection

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/inquiry"
	"github.com/catflap/catflap/internal/keyset"
)

type handler struct {
	desk   *inquiry.Desk
	client *http.Client

	address, issuer  string
	clientID, secret string
	post             bool
	signed           bool // signed tokens are asked about
	judge            judge
}

// Open makes the handler. The issuer is asked in the background whether it answers, until
// ctx ends.
func (c *Config) Open(ctx context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	authorities, err := c.CAFile.Certificates()
	if err == nil {
		env.HTTP, err = keyset.Trusting(env.HTTP, authorities)
	}
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	secret, err := c.ClientSecret.Read()
	if err != nil {
		return nil, fmt.Errorf("client_secret: %w", err)
	}
	h := &handler{
		client: inquiry.Client(env.HTTP), address: c.URL, issuer: c.Issuer, clientID: c.ClientID, secret: string(secret),
		post: c.TokenAuth == "post", signed: c.AcceptJWTs,
		judge: judge{
			issuer: c.Issuer, audiences: slices.Clone(c.Audiences), clients: slices.Clone(c.Clients), own: c.ClientID, scopes: slices.Clone(c.Scopes),
			leeway: c.Leeway.Std(), typed: c.RequireTokenType, now: env.Now,
		},
	}
	if h.judge.reader, err = jwt.NewReader(c.claims(), env, nil); err != nil {
		return nil, err
	}
	h.desk, err = inquiry.Open(ctx, env, inquiry.Options{
		Ask: h.ask, Try: h.try, Notice: c.Cache.Std(), Timeout: c.Timeout.Std(), Stale: c.StaleIfError.Std(),
		Label: "introspection " + c.URL + " " + c.Issuer,
	})
	return h, err
}

// Authenticate takes every bearer token that is not for another handler by its form.
func (h *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() {
		return nil, authhandlers.ErrNoCredential
	}
	token := r.Credential.Value
	switch {
	case authhandlers.LikeKey(token):
		return nil, fmt.Errorf("%w: an API key is not shown to an issuer", authhandlers.ErrNoCredential)
	case len(token) > keyset.MaxTokenBytes:
		return nil, authhandlers.Reject(authhandlers.CodeTokenTooLarge, "the token is too large", "the token is larger than %d KiB", keyset.MaxTokenBytes>>10)
	}
	if err := h.foreign(token); err != nil {
		return nil, err
	}
	return h.desk.Authenticate(ctx, r, token)
}

// foreign passes on signed tokens that the issuer is not asked about: who gets to see a
// token of another issuer could use it there.
func (h *handler) foreign(token string) error {
	if !jwt.LooksSigned(token) {
		return nil // it is opaque
	}
	if !h.signed {
		return fmt.Errorf("%w: it is a signed token, and accept_jwts is off", authhandlers.ErrNoCredential)
	}
	claims, err := jwt.Peek(token)
	v, _ := claims.Get("iss")
	if iss, ok := v.Str(); err != nil || !ok || iss != h.issuer {
		return fmt.Errorf("%w: it is a signed token of another issuer", authhandlers.ErrNoCredential)
	}
	return nil
}

// ask asks the issuer about a token.
func (h *handler) ask(ctx context.Context, token string) (*inquiry.Answer, error) {
	reply, err := h.send(ctx, token)
	if err != nil {
		return nil, err
	}
	claims, err := reply.Object()
	if err != nil {
		return nil, err
	}
	info, err := h.judge.person(claims)
	if err != nil {
		return nil, err
	}
	a := &inquiry.Answer{Person: *info}
	if exp, ok, _ := jwt.Moment(claims, "exp"); ok {
		a.Limited, a.Fresh = true, exp.Sub(h.judge.now())
	}
	return a, nil
}

// try asks about a token that is nobody's.
func (h *handler) try(ctx context.Context) error {
	_, err := h.ask(ctx, rand.Text())
	if r, ok := errors.AsType[*authhandlers.Rejection](err); ok && r.Code == authhandlers.CodeTokenInactive {
		return nil
	}
	if err == nil || errors.As(err, new(*authhandlers.Rejection)) {
		return inquiry.Setup(errors.New("the issuer says that a made-up token is active"))
	}
	return err
}

// send puts the question (RFC 7662 §2.1). Who asks is shown in the way that is configured
// (RFC 6749 §2.3.1), and the token stands in the body alone.
func (h *handler) send(ctx context.Context, token string) (*inquiry.Reply, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	if h.post {
		form.Set("client_id", h.clientID)
		form.Set("client_secret", h.secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !h.post {
		req.SetBasicAuth(url.QueryEscape(h.clientID), url.QueryEscape(h.secret))
	}
	reply, err := inquiry.Send(ctx, h.client, req)
	if err != nil {
		return nil, err
	}
	switch reply.Status {
	case http.StatusOK:
		return reply, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, reply.Failed("; it does not know client_id and client_secret, or does not let this client ask")
	}
	return nil, reply.Failed("")
}

// Ready reports that the issuer can't be asked.
func (h *handler) Ready(context.Context) error { return h.desk.Ready() }

// Rejudge implements authhandlers.Rejudger.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	return h.desk.Rejudge(u)
}

// Generation implements authhandlers.Rejudger.
func (h *handler) Generation() uint64 { return h.desk.Generation() }

// Ambient reports that no browser sends a bearer token by itself.
func (h *handler) Ambient(*authhandlers.Request) bool { return false }

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Prober      = (*handler)(nil)
	_ authhandlers.Rejudger    = (*handler)(nil)
	_ authhandlers.Ambient     = (*handler)(nil)
)
