package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// static rows: the key set is a file, and the token is made for it.
func (b *bench) keySetRow(t *testing.T, id string) (jwks []map[string]any, token string, change func(*jwt.Config)) {
	t.Helper()
	rsa1 := b.keys["rsa1"]
	with := func(k *issuer.Key, changes map[string]any) []map[string]any {
		j := k.JWK()
		maps.Copy(j, changes)
		return []map[string]any{j}
	}
	signed := func(k *issuer.Key) string {
		return issuer.Sign(k, map[string]any{"alg": k.Algorithm, "typ": "at+jwt", "kid": k.ID}, b.template())
	}
	ecSigned := func(signature func(k *ecdsa.PrivateKey, signed string) []byte) string {
		k := b.keys["ec1"]
		token := signed(k)
		text := token[:strings.LastIndexByte(token, '.')]
		return text + "." + b64(signature(k.Private.(*ecdsa.PrivateKey), text))
	}
	order := elliptic.P256().Params().N
	switch id {
	case "jw-200":
		t.Setenv("GODEBUG", "rsa1024min=0")
		weak, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		k := &issuer.Key{ID: "rsa1", Algorithm: "RS256", Private: weak}
		return with(k, nil), signed(k), nil
	case "jw-201":
		n := new(big.Int).Lsh(big.NewInt(1), 16383)
		return with(rsa1, map[string]any{"n": b64(n.Add(n, big.NewInt(1)).Bytes())}), signed(rsa1), nil
	case "jw-202":
		return with(rsa1, map[string]any{"e": "AQ"}), b.exponentOne(t), nil
	case "jw-203":
		return with(rsa1, map[string]any{"e": "Ag"}), signed(rsa1), nil
	case "jw-204":
		return with(rsa1, map[string]any{"e": rsa1.JWK()["n"]}), signed(rsa1), nil
	case "jw-205":
		return with(b.keys["ec1"], map[string]any{"y": b.keys["ec1"].JWK()["x"]}), signed(b.keys["ec1"]), nil
	case "jw-206":
		return with(b.keys["ec1"], map[string]any{"alg": "ES384"}), signed(b.keys["ec1"]), allow("ES256", "ES384")
	case "jw-207":
		return b.published(), ecSigned(func(*ecdsa.PrivateKey, string) []byte { return make([]byte, 64) }), nil
	case "jw-208":
		return b.published(), ecSigned(func(*ecdsa.PrivateKey, string) []byte { return append(order.Bytes(), order.Bytes()...) }), nil
	case "jw-209":
		return b.published(), ecSigned(func(k *ecdsa.PrivateKey, text string) []byte {
			sum := sha256.Sum256([]byte(text))
			der, err := ecdsa.SignASN1(rand.Reader, k, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return der
		}), nil
	case "jw-210":
		return b.published(), ecSigned(func(k *ecdsa.PrivateKey, text string) []byte {
			for { // until r begins with a zero octet, which a short form would drop
				sum := sha256.Sum256([]byte(text))
				der, err := ecdsa.SignASN1(rand.Reader, k, sum[:])
				if err != nil {
					t.Fatal(err)
				}
				var sig struct{ R, S *big.Int }
				if _, err := asn1.Unmarshal(der, &sig); err != nil {
					t.Fatal(err)
				}
				if len(sig.R.Bytes()) == 31 {
					return append(sig.R.Bytes(), sig.S.FillBytes(make([]byte, 32))...)
				}
			}
		}), nil
	case "jw-211":
		return with(rsa1, map[string]any{"use": "enc"}), signed(rsa1), nil
	case "jw-212":
		return with(rsa1, map[string]any{"key_ops": []string{"encrypt"}}), signed(rsa1), nil
	case "jw-213":
		k := newKey(t, "oct1", "HS256")
		return with(k, nil), signed(k), nil
	case "jw-214":
		private := rsa1.Private.(*rsa.PrivateKey)
		return with(rsa1, map[string]any{"d": b64(private.D.Bytes())}), signed(rsa1), nil
	case "jw-215":
		return append(with(rsa1, nil), map[string]any{"kty": "XX", "kid": "xx"}), signed(rsa1), nil
	}
	return nil, "", nil
}

// exponentOne forges a signature for a key whose exponent is 1: it is the padded
// hash itself, so nobody needs the private key.
func (b *bench) exponentOne(t *testing.T) string {
	t.Helper()
	signed := b64(encode(t, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": "rsa1"})) + "." + b64(encode(t, b.template()))
	sum := sha256.Sum256([]byte(signed))
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	em := []byte{0, 1}
	for len(em) < 256-1-len(prefix)-len(sum) {
		em = append(em, 0xff)
	}
	em = append(append(append(em, 0), prefix...), sum[:]...)
	return signed + "." + b64(em)
}

func TestVectorsOfKeySets(t *testing.T) {
	b := newBench(t)
	fetched := b.fetchedRows()
	for _, r := range readRows(t) {
		if r.JWKS == "" || r.ID == "jw-045" {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			if test := fetched[r.ID]; test != nil {
				test(t)
				return
			}
			jwks, token, change := b.keySetRow(t, r.ID)
			if jwks == nil {
				t.Fatal("no key set is made for this row")
			}
			h := open(t, authtest.NewEnv(t, b.clock), keySet(t, jwks...), change)
			u, err := h.Authenticate(t.Context(), authtest.Bearer(token))
			got := code(err)
			if strings.HasPrefix(got, "fault") || strings.HasPrefix(got, "no credential") {
				t.Fatalf("%s: %s", r.Name, got)
			}
			if (r.Expect == "accept") != (err == nil) && r.Expect != "accept_or_reject" {
				t.Fatalf("%s: %v %s, want %s", r.Name, u, got, r.Expect)
			}
		})
	}
}

// remoteBench is an issuer whose key set is fetched.
type remoteBench struct {
	clock  *authtest.Clock
	idp    *authtest.Issuer
	events *authtest.Events
	h      authhandlers.AuthHandler
}

func newRemote(t *testing.T, before func(*authtest.Issuer), change func(*jwt.Config), env func(*authhandlers.Env)) *remoteBench {
	t.Helper()
	r := &remoteBench{clock: authtest.NewClock(), events: authtest.NewEvents()}
	r.idp = authtest.NewIssuer(t, r.clock)
	if before != nil {
		before(r.idp)
	}
	e := authtest.NewEnv(t, r.clock)
	e.Observe = r.events.Observe
	if env != nil {
		env(&e)
	}
	c := jwt.NewConfig()
	c.Issuer, c.Audiences, c.Keys.JWKSURL = r.idp.URL(), []string{r.idp.Audience()}, r.idp.JWKSURL()
	if change != nil {
		change(c)
	}
	r.h = openConfig(t, e, c)
	return r
}

func (r *remoteBench) ask(t *testing.T, token string) string {
	t.Helper()
	_, err := r.h.Authenticate(t.Context(), authtest.Bearer(token))
	return code(err)
}

// badAnswers are key set documents that are none: without good keys before them
// nothing is accepted, and with good keys these stay.
func badAnswers(t *testing.T) map[string]func(*authtest.Issuer) http.HandlerFunc {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	many := strings.TrimSuffix(strings.Repeat(`{"kty":"XX"},`, 10000), ",")
	return map[string]func(*authtest.Issuer) http.HandlerFunc{
		"jw-216": func(*authtest.Issuer) http.HandlerFunc {
			return issuer.Body("application/json", []byte(`{"keys":[`+many+`]}`))
		},
		"jw-217": func(i *authtest.Issuer) http.HandlerFunc {
			text := string(i.JWKS())
			return issuer.Body("application/json", []byte(text[:len(text)-1]+`,"pad":"`+strings.Repeat("x", 10<<20)+`"}`))
		},
		"jw-218": func(*authtest.Issuer) http.HandlerFunc {
			return issuer.Body("text/html", []byte("<!doctype html><title>sign in</title>"))
		},
		"jw-219": func(*authtest.Issuer) http.HandlerFunc { return issuer.RedirectTo(elsewhere.URL + "/jwks") },
		"jw-220": func(i *authtest.Issuer) http.HandlerFunc { return i.Hang() },
		"500":    func(*authtest.Issuer) http.HandlerFunc { return issuer.Status(http.StatusInternalServerError) },
		"gone":   func(*authtest.Issuer) http.HandlerFunc { return issuer.Status(http.StatusNotFound) },
		"empty":  func(*authtest.Issuer) http.HandlerFunc { return issuer.Body("application/json", nil) },
	}
}

func (b *bench) fetchedRows() map[string]func(*testing.T) {
	rows := map[string]func(*testing.T){"jw-221": testRotationOut, "jw-222": testRotationIn}
	for _, id := range []string{"jw-216", "jw-217", "jw-218", "jw-219", "jw-220"} {
		rows[id] = func(t *testing.T) { testBadAnswer(t, badAnswers(t)[id]) }
	}
	return rows
}

func TestOtherBadAnswers(t *testing.T) {
	for _, name := range []string{"500", "gone", "empty"} {
		t.Run(name, func(t *testing.T) { testBadAnswer(t, badAnswers(t)[name]) })
	}
}

// testBadAnswer asks twice: with the bad answer from the start, and after a good one.
func testBadAnswer(t *testing.T, answer func(*authtest.Issuer) http.HandlerFunc) {
	short := func(e *authhandlers.Env) { e.HTTP.Timeout = 200 * time.Millisecond }

	r := newRemote(t, func(i *authtest.Issuer) { i.SetFault(answer(i)) }, nil, short)
	if got := r.ask(t, r.idp.Token("alice")); !strings.HasPrefix(got, "fault") {
		t.Errorf("without keys: %q, want a fault", got)
	}
	if err := r.h.(authhandlers.Prober).Ready(t.Context()); err == nil {
		t.Error("ready without keys")
	}
	r.idp.SetFault(nil)
	r.clock.Advance(time.Minute)
	r.ask(t, r.idp.Token("alice")) // starts the next try, if the clock has not yet
	r.events.Wait(t, "keys_fetched", 1)
	if got := r.ask(t, r.idp.Token("alice")); got != "" {
		t.Errorf("healed: %q", got)
	}
	if err := r.h.(authhandlers.Prober).Ready(t.Context()); err != nil {
		t.Errorf("healed: %v", err)
	}

	r = newRemote(t, nil, nil, short)
	r.events.Wait(t, "keys_fetched", 1)
	long := r.idp.Token("carol", r.idp.Lifetime(100*time.Hour))
	if got := r.ask(t, long); got != "" {
		t.Errorf("a long token: %q", got)
	}
	r.idp.SetFault(answer(r.idp))
	r.clock.Advance(10 * time.Minute)
	if got := r.ask(t, r.idp.Token("alice")); got != "" {
		t.Errorf("while the keys are fetched: %q", got)
	}
	r.events.Wait(t, "keys_fetch_failed", 1)
	if got := r.ask(t, r.idp.Token("bob")); got != "" {
		t.Errorf("with the last good keys: %q", got)
	}
	r.clock.Advance(24 * time.Hour)
	if got := r.ask(t, r.idp.Token("alice")); !strings.HasPrefix(got, "fault") {
		t.Errorf("with keys that are too old: %q, want a fault", got)
	}
	if got := r.ask(t, long); !strings.HasPrefix(got, "fault") {
		t.Errorf("a remembered token whose key is too old: %q, want a fault", got)
	}
	if err := r.h.(authhandlers.Prober).Ready(t.Context()); err == nil {
		t.Error("ready with keys that are too old")
	}
}

func testRotationOut(t *testing.T) {
	r := newRemote(t, nil, nil, nil)
	old := r.idp.Key("es256")
	token := r.idp.Token("alice", r.idp.Lifetime(time.Hour))
	if got := r.ask(t, token); got != "" {
		t.Fatal(got)
	}
	r.idp.Publish(newKey(t, "new", "ES256"))
	r.idp.Withdraw(old.ID)
	r.clock.Advance(10 * time.Minute)
	r.ask(t, token) // it is remembered, and starts the refresh
	r.events.Wait(t, "keys_changed", 2)
	r.events.Wait(t, "keys_fetched", 2)
	if got := r.ask(t, token); got != "unknown_key" {
		t.Errorf("a remembered token of a withdrawn key: %q", got)
	}
	if got := r.ask(t, r.idp.Token("bob")); got != "unknown_key" {
		t.Errorf("a new token of a withdrawn key: %q", got)
	}
}

func testRotationIn(t *testing.T) {
	r := newRemote(t, nil, nil, nil)
	r.events.Wait(t, "keys_fetched", 1)
	if got := r.ask(t, r.idp.Token("alice")); got != "" {
		t.Fatal(got)
	}
	k := newKey(t, "new", "ES256")
	r.idp.Publish(k)
	r.idp.SignWith(k)
	const many = 50
	got := make(chan string, many)
	for n := range many {
		token := r.idp.Token(fmt.Sprintf("person-%d", n))
		go func() {
			_, err := r.h.Authenticate(t.Context(), authtest.Bearer(token))
			got <- code(err)
		}()
	}
	for range many {
		if c := <-got; c != "" {
			t.Errorf("a token of the new key: %q", c)
		}
	}
	if n := r.idp.Fetches(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}
