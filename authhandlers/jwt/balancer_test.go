package jwt_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

const (
	arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188"
	kid = "0a1b2c3d-0000-4000-8000-00000000000a"
)

// balanced is a load balancer of AWS with the keys of its region.
type balanced struct {
	clock *authtest.Clock
	idp   *authtest.Issuer
	key   *issuer.Key
}

func newBalanced(t *testing.T) *balanced {
	b := &balanced{clock: authtest.NewClock(), key: newKey(t, kid, "ES256")}
	b.idp = authtest.NewIssuer(t, b.clock)
	b.idp.Handle("GET /keys/"+kid, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b.key.PEM()) })
	return b
}

func (b *balanced) config(change func(*jwt.Config)) *jwt.Config {
	c := jwt.NewConfig()
	c.Issuer, c.Signer, c.Keys.PEMURL, c.Carrier.Header = issuerName, arn, b.idp.URL()+"/keys/{kid}", "x-amzn-oidc-data"
	if change != nil {
		change(c)
	}
	return c
}

func (b *balanced) parts(subject string, change map[string]any) (header, claims map[string]any) {
	exp := b.clock.Now().Add(2 * time.Minute).Unix()
	header = map[string]any{"typ": "JWT", "kid": kid, "alg": "ES256", "iss": issuerName, "client": "front-client", "signer": arn, "exp": exp}
	claims = map[string]any{"sub": subject, "name": subject, "email": subject + "@example.com", "exp": exp, "iss": issuerName}
	for name, v := range change {
		to := claims
		if rest, ok := strings.CutPrefix(name, "head "); ok {
			name, to = rest, header
		}
		if to[name] = v; v == nil {
			delete(to, name)
		}
	}
	return header, claims
}

func (b *balanced) token(subject string, change map[string]any) string {
	h, c := b.parts(subject, change)
	return issuer.SignPadded(b.key, h, c)
}

func inData(token string) *authhandlers.Request {
	return presenting(jwt.Carrier{Header: "X-Amzn-Oidc-Data"}, token)
}

// TestConformanceOfALoadBalancer: the tokens are padded, of the region's key and of this
// load balancer alone.
func TestConformanceOfALoadBalancer(t *testing.T) {
	b := newBalanced(t)
	bad := func(change map[string]any) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request { return inData(b.token("alice", change)) }
	}
	text := func(token string) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request { return inData(token) }
	}
	header, claims := b.parts("alice", nil)
	stranger := newKey(t, kid, "ES256")
	good := b.token("alice", nil)
	if !strings.Contains(good, "=.") || !strings.HasSuffix(good, "==") {
		t.Fatalf("the token is not padded: %s", good)
	}
	authtest.Run(t, authtest.Suite{
		Clock: b.clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			return openConfig(t, env, b.config(func(c *jwt.Config) { c.Clients = []string{"front-client"} }))
		},
		Request: func(_ *testing.T, n int) *authhandlers.Request {
			return inData(b.token(fmt.Sprintf("person-%d", n), nil))
		},
		Person:   func(n int) (string, string) { return issuerName, fmt.Sprintf("person-%d", n) },
		Lifetime: 2*time.Minute + 31*time.Second,
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"forged":                  text(issuer.SignPadded(stranger, header, claims)),
			"another load balancer":   bad(map[string]any{"head signer": arn[:len(arn)-1] + "9"}),
			"signer in the claims":    bad(map[string]any{"head signer": nil, "signer": arn}),
			"no text":                 bad(map[string]any{"head signer": []string{arn}}),
			"in capitals":             bad(map[string]any{"head signer": strings.ToUpper(arn)}),
			"another client":          bad(map[string]any{"head client": "other"}),
			"no client":               bad(map[string]any{"head client": nil}),
			"expired":                 bad(map[string]any{"exp": b.clock.Now().Add(-time.Hour).Unix()}),
			"no exp":                  bad(map[string]any{"exp": nil}),
			"no sub":                  bad(map[string]any{"sub": nil}),
			"unknown kid":             bad(map[string]any{"head kid": "0a1b2c3d-0000-4000-8000-0000000000ff"}),
			"a kid that leads away":   bad(map[string]any{"head kid": "../jwks"}),
			"a kid with a query":      bad(map[string]any{"head kid": kid + "?x"}),
			"an escaped kid":          bad(map[string]any{"head kid": kid + "%2f"}),
			"no kid":                  bad(map[string]any{"head kid": nil}),
			"without its padding":     text(strings.ReplaceAll(good, "=", "")),
			"padding of one part out": text(strings.TrimRight(good, "=")),
			"padding too long":        text(good + "===="),
			"spare bits":              text(spare(good)),
			"alg none":                bad(map[string]any{"head alg": "none"}),
			"HS256":                   bad(map[string]any{"head alg": "HS256"}),
		},
		Foreign: map[string]func(*testing.T) *authhandlers.Request{
			"another issuer":   bad(map[string]any{"iss": "https://evil.example"}),
			"in Authorization": func(*testing.T) *authhandlers.Request { return authtest.Bearer(b.token("alice", nil)) },
			"an access token header": func(*testing.T) *authhandlers.Request {
				return presenting(jwt.Carrier{Header: "X-Amzn-Oidc-Accesstoken"}, good)
			},
		},
	})
}

// spare sets a bit of the last character before the padding that means nothing.
func spare(token string) string {
	at := strings.IndexByte(token, '=') - 1
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return token[:at] + string(alphabet[strings.IndexByte(alphabet, token[at])|1]) + token[at+1:]
}

// TestALoadBalancersPeopleAreJudgedAgain by the evidence alone, also by a new handler
// that has no keys yet.
func TestALoadBalancersPeopleAreJudgedAgain(t *testing.T) {
	b := newBalanced(t)
	env := authtest.NewEnv(t, b.clock)
	h := openConfig(t, env, b.config(nil))
	r := inData(b.token("alice", nil))
	r.Lasting = true
	u, err := chain(t, b.clock, h).Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := chain(t, b.clock, h).Rejudge(u); err != nil || !again.Same(u) {
		t.Fatalf("%v %v", again, err)
	}
	fresh := chain(t, b.clock, openConfig(t, env, b.config(nil)))
	before := fresh.Generation()
	if _, err := fresh.Rejudge(u); !strings.HasPrefix(code(err), "fault") {
		t.Fatalf("before the key is there: %v", err)
	}
	for limit := time.Now().Add(20 * time.Second); fresh.Generation() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the key never comes")
		}
	}
	if again, err := fresh.Rejudge(u); err != nil || !again.Same(u) {
		t.Fatalf("%v %v", again, err)
	}
	other := chain(t, b.clock, openConfig(t, env, b.config(func(c *jwt.Config) { c.Signer = arn + "0" })))
	if _, err := other.Rejudge(u); code(err) != "wrong_audience" {
		t.Errorf("another load balancer is configured: %v", err)
	}
}

// TestSiblingLoadBalancers: two of one issuer tell their tokens apart.
func TestSiblingLoadBalancers(t *testing.T) {
	b := newBalanced(t)
	env := authtest.NewEnv(t, b.clock)
	second := arn + "0"
	first, next := b.config(nil), b.config(func(c *jwt.Config) { c.Signer = second })
	ch := chain(t, b.clock, openConfig(t, env, first), openConfig(t, env, next))
	for signer, want := range map[string]string{arn: "h0", second: "h1", "x": "wrong_audience"} {
		if got := who(ch.Authenticate(t.Context(), inData(b.token("alice", map[string]any{"head signer": signer})))); got != want {
			t.Errorf("%s: %s, want %s", signer, got, want)
		}
	}
	if next.HiddenBehind([]any{first}) >= 0 || next.HiddenBehind([]any{first, next}) != 1 {
		t.Error("who hides whom")
	}
}

func TestBalancerConfig(t *testing.T) {
	const good = "https://public-keys.auth.elb.eu-west-1.amazonaws.com/{kid}"
	for _, c := range []struct {
		signer, address string
		want            string
	}{
		{arn, good, ""},
		{arn, "http://127.0.0.1:1/{kid}", ""},
		{"", good, "signer: required"},
		{arn, "", "signer: given without"},
		{"front", good, "signer: no ARN"},
		{"arn:aws:elasticloadbalancing:*", good, "signer: no ARN"},
		{arn, "https://keys.example/", "keys.pem_url"},
		{arn, "https://keys.example/{kid}/x", "keys.pem_url"},
		{arn, "https://{kid}.example/{kid}", "keys.pem_url"},
		{arn, "https://keys.example/?k={kid}", "keys.pem_url"},
		{arn, "https://keys.example/?k=/{kid}", "keys.pem_url"},
		{arn, "http://keys.example/{kid}", "keys.pem_url"},
		{arn, "file:///{kid}", "keys.pem_url"},
	} {
		k := jwt.NewConfig()
		k.Issuer, k.Signer, k.Keys.PEMURL = issuerName, c.signer, c.address
		if c.address == "" {
			k.Keys.JWKSFile = "keys.json"
		}
		err := k.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.signer, c.address, err, c.want)
		}
	}
}

// TestClaimsOfTheHeader: nothing but the claims says who somebody is.
func TestClaimsOfTheHeader(t *testing.T) {
	b := newBalanced(t)
	h := openConfig(t, authtest.NewEnv(t, b.clock), b.config(nil))
	header, claims := b.parts("alice", nil)
	maps.Copy(header, map[string]any{"sub": "admin", "iss": "https://evil.example", "exp": 1})
	u, err := h.Authenticate(t.Context(), inData(issuer.SignPadded(b.key, header, claims)))
	if err != nil || u.Subject != "alice" || u.Issuer != issuerName {
		t.Errorf("%+v %v", u, err)
	}
}
