package jwt_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// latin1 returns the bytes that a text of the vectors stands for.
func latin1(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

// token makes what a row describes. It is false for rows that are no token.
func (b *bench) token(t *testing.T, r row) (string, bool) {
	t.Helper()
	header := map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": "rsa1"}
	b.merge(header, r.Header)
	claims := b.template()
	b.merge(claims, r.Claims)
	h, p := encode(t, header), encode(t, claims)
	switch {
	case r.ClaimsJSON != "":
		p = b.raw(t, r.ClaimsJSON)
	case r.ClaimsBytes != "":
		p = b.raw(t, r.ClaimsBytes)
		p = bytes.ReplaceAll(p, []byte("<ff><fe>"), []byte{0xff, 0xfe})
	case r.HeaderJSON != "":
		h = latin1(r.HeaderJSON)
	case r.Payload == "a good token":
		p = []byte(issuer.SignRaw(b.keys["rsa1"], h, p))
	}
	if r.Form != nil {
		return b.form(t, r, claims, h, p)
	}
	k := b.keys["rsa1"]
	if r.SignWith != "" {
		k = b.keys[r.SignWith]
	}
	signed := b64(h) + "." + b64(p)
	switch {
	case r.Signature != nil && *r.Signature == "":
		return signed + ".", true
	case r.Signature != nil: // $keep: that of the unchanged header
		good := issuer.SignRaw(k, encode(t, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": "rsa1"}), p)
		return signed + good[strings.LastIndexByte(good, '.'):], true
	case r.HMACKey != "":
		return signed + "." + b64(b.mac(t, r, header["alg"].(string), signed)), true
	case r.SignHash == "sha1":
		sum := sha1.Sum([]byte(signed))
		sig, err := rsa.SignPKCS1v15(rand.Reader, k.Private.(*rsa.PrivateKey), crypto.SHA1, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signed + "." + b64(sig), true
	case header["alg"] == "PS256", header["alg"] == "RS384":
		k = &issuer.Key{Algorithm: header["alg"].(string), Private: k.Private}
	}
	return issuer.SignRaw(k, h, p), true
}

func (b *bench) template() map[string]any {
	now := b.clock.Now().Unix()
	return map[string]any{
		"iss": issuerName, "aud": audience, "sub": "alice", "client_id": "web",
		"iat": now, "exp": now + 600, "jti": "random",
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// merge applies a row's changes, with what they stand for.
func (b *bench) merge(to, changes map[string]any) {
	for name, v := range changes {
		if v == "$absent" {
			delete(to, name)
			continue
		}
		to[name] = b.resolve(v)
	}
}

func (b *bench) resolve(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = b.resolve(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[b.text(k)] = b.resolve(e)
		}
		return out
	case string:
		return b.resolveText(v)
	}
	return v
}

func (b *bench) resolveText(s string) any {
	if inner, ok := strings.CutPrefix(s, `"`); ok {
		inner = strings.TrimSuffix(inner, `"`)
		if n, ok := b.moment(inner); ok {
			return fmt.Sprint(n)
		}
		return inner
	}
	if inner, ok := strings.CutSuffix(s, "*1000"); ok {
		n, _ := b.moment(strings.Trim(inner, "()"))
		return n.(int64) * 1000
	}
	if n, ok := b.moment(s); ok {
		return n
	}
	if m := regexp.MustCompile(`^a\*(\d+)$`).FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		return strings.Repeat("a", n)
	}
	switch s {
	case "attacker public JWK":
		return b.keys["attacker"].JWK()
	case "attacker certificate":
		return base64.StdEncoding.EncodeToString(spki(b.keys["attacker"]))
	case "10000 entries":
		return strings.Split(strings.Repeat("g,", 9999)+"g", ",")
	}
	return string(latin1(b.text(s)))
}

func (b *bench) text(s string) string {
	return strings.NewReplacer("$iss2", "https://second.example", "$iss", issuerName, "$ISS", strings.ToUpper(issuerName),
		"$aud", audience, "$AUD", strings.ToUpper(audience)).Replace(s)
}

// moment reads now, now+600, now-leeway-1, now+10y.
func (b *bench) moment(s string) (any, bool) {
	rest, ok := strings.CutPrefix(s, "now")
	if !ok {
		return nil, false
	}
	rest = strings.ReplaceAll(rest, "leeway", "30")
	rest = strings.ReplaceAll(rest, "10y", "315360000")
	now, whole := b.clock.Now().Unix(), true
	sum := float64(now)
	for _, term := range regexp.MustCompile(`[+-][\d.]+`).FindAllString(rest, -1) {
		f, err := strconv.ParseFloat(term, 64)
		if err != nil {
			return nil, false
		}
		whole = whole && f == float64(int64(f))
		sum += f
	}
	if !whole {
		return sum, true
	}
	return int64(sum), true
}

// raw writes JSON text whose dots stand for the rest of the template.
func (b *bench) raw(t *testing.T, text string) []byte {
	t.Helper()
	named := regexp.MustCompile(`"([^"]*)":`).FindAllStringSubmatch(text, -1)
	rest := b.template()
	for member := range rest {
		for _, n := range named {
			name := strings.ReplaceAll(n[1], `\u017f`, "\u017f")
			if strings.EqualFold(name, member) {
				delete(rest, member)
			}
		}
	}
	inner := strings.Trim(string(encode(t, rest)), "{}")
	return latin1(strings.ReplaceAll(b.text(text), "...", inner))
}

func spki(k *issuer.Key) []byte {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return der
}

// mac signs with HMAC and a key that is public, empty or guessed.
func (b *bench) mac(t *testing.T, r row, algorithm, signed string) []byte {
	t.Helper()
	public := b.keys["rsa1"].Public().(*rsa.PublicKey)
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	key, ok := map[string][]byte{
		"rsa1 public PEM SPKI":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki(b.keys["rsa1"])}),
		"rsa1 public PEM PKCS1": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"rsa1 public DER SPKI":  spki(b.keys["rsa1"]),
		"JWKS document bytes":   encode(t, map[string]any{"keys": b.published()}),
		"modulus bytes":         public.N.Bytes(),
		"empty":                 {},
		"client secret":         []byte("client secret"),
		"string secret":         []byte("secret"),
	}[r.HMACKey]
	if !ok {
		t.Fatalf("unknown hmac_key %q", r.HMACKey)
	}
	var h = sha256.New
	if algorithm == "HS384" {
		h = sha512.New384
	}
	m := hmac.New(h, key)
	m.Write([]byte(signed))
	return m.Sum(nil)
}
