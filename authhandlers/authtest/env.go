package authtest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// NewEnv returns an Env for a handler under test, with everything that a handler
// may rely on. Its log goes nowhere, and its idle connections end with the test.
func NewEnv(t testing.TB, clock *Clock) authhandlers.Env {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(transport.CloseIdleConnections)
	return authhandlers.Env{
		Name:         "test",
		Log:          slog.New(slog.DiscardHandler),
		HTTP:         &http.Client{Timeout: 10 * time.Second, Transport: transport},
		Now:          clock.Now,
		Gate:         authhandlers.NewGate(0, 1000, 10*time.Second),
		CachedTokens: 1000,
	}
}

// NewRequest returns a plain request without a credential.
func NewRequest() *authhandlers.Request {
	return &authhandlers.Request{
		HTTP:     httptest.NewRequest(http.MethodGet, "http://catflap.example/", nil),
		ClientIP: netip.MustParseAddr("192.0.2.7"),
		Kind:     authhandlers.KindHTTP,
	}
}

// Bearer returns a request with a bearer token, as the proxy hands it over.
func Bearer(token string) *authhandlers.Request {
	r := NewRequest()
	r.HTTP.Header.Set("Authorization", "Bearer "+token)
	r.Credential = &authhandlers.Credential{Scheme: "bearer", Value: token, Carrier: authhandlers.CarrierAuthorization}
	return r
}

// Issuer is a token issuer that lies when it is told to; see package issuer.
type Issuer = issuer.Issuer

// NewIssuer starts an issuer that goes by the clock and ends with the test. Without
// algorithms it has one ES256 key.
func NewIssuer(t testing.TB, clock *Clock, algorithms ...string) *Issuer {
	t.Helper()
	i, err := issuer.New(issuer.Options{Now: clock.Now, Algorithms: algorithms})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}
