package jwt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

func TestConformance(t *testing.T) {
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			clock := authtest.NewClock()
			idp := authtest.NewIssuer(t, clock, algorithm)
			stranger := newKey(t, idp.Key(strings.ToLower(algorithm)).ID, algorithm)
			bad := func(subject string, changes ...issuer.Change) func(*testing.T) *authhandlers.Request {
				return func(*testing.T) *authhandlers.Request { return authtest.Bearer(idp.Token(subject, changes...)) }
			}
			authtest.Run(t, authtest.Suite{
				Clock: clock,
				Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
					c := jwt.NewConfig()
					c.Issuer, c.Audiences, c.Keys.JWKSURL = idp.URL(), []string{idp.Audience()}, idp.JWKSURL()
					c.Algorithms = []string{algorithm}
					return openConfig(t, env, c)
				},
				Request: func(_ *testing.T, n int) *authhandlers.Request {
					return authtest.Bearer(idp.Token(fmt.Sprintf("person-%d", n)))
				},
				Person:   func(n int) (string, string) { return idp.URL(), fmt.Sprintf("person-%d", n) },
				Lifetime: 10*time.Minute + 30*time.Second,
				Refused: map[string]func(*testing.T) *authhandlers.Request{
					"forged":      bad("alice", issuer.ForgedBy(stranger)),
					"expired":     bad("alice", idp.Lifetime(-time.Hour)),
					"unknown key": bad("alice", issuer.Header("kid", "zz")),
					"no audience": bad("alice", issuer.Without("aud")),
					"no subject":  bad("alice", issuer.Without("sub")),
				},
				Foreign: map[string]func(*testing.T) *authhandlers.Request{
					"other issuer": bad("alice", issuer.Claim("iss", "https://evil.example")),
					"no issuer":    bad("alice", issuer.Without("iss")),
				},
			})
		})
	}
}

// static is the smallest handler there is: the suite must hold for it too.
type static map[string]string

func (s static) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() || !strings.HasPrefix(r.Credential.Value, "static-token-") {
		return nil, authhandlers.ErrNoCredential
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	subject, ok := s[r.Credential.Value]
	if !ok {
		return nil, &authhandlers.Rejection{
			Code: authhandlers.CodeBadSignature, Hint: "the key is not known", Err: errors.New("no such key"),
		}
	}
	return &authhandlers.AuthUserInfo{Issuer: "static", Subject: subject}, nil
}

func TestConformanceOfAStaticHandler(t *testing.T) {
	keys := static{}
	for n := range 8 {
		keys[fmt.Sprintf("static-token-%d", n)] = fmt.Sprintf("person-%d", n)
	}
	authtest.Run(t, authtest.Suite{
		Clock: authtest.NewClock(),
		Open:  func(*testing.T, authhandlers.Env) authhandlers.AuthHandler { return keys },
		Request: func(_ *testing.T, n int) *authhandlers.Request {
			return authtest.Bearer(fmt.Sprintf("static-token-%d", n))
		},
		Person: func(n int) (string, string) { return "static", fmt.Sprintf("person-%d", n) },
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"unknown": func(*testing.T) *authhandlers.Request { return authtest.Bearer("static-token-99") },
		},
	})
}
