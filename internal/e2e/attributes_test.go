package e2e

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// toldSettings have plugins told of people.
const toldSettings = "attributes: {claims: [name, email, groups]}"

// verified reads a person's attributes as a plugin does: by the keys at the admin listener.
func (f *flap) verified(token string) map[string]any {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	var set struct{ Keys []struct{ Kid, X string } }
	status, body := get(ctx, "http://"+f.admin+"/.well-known/jwks.json")
	if err := json.Unmarshal([]byte(body), &set); status != 200 || err != nil {
		f.t.Fatalf("the keys: %d, %v", status, err)
	}
	signed, signature, _ := strings.Cut(token[strings.Index(token, ".")+1:], ".")
	signed = token[:strings.Index(token, ".")+1] + signed
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		f.t.Fatal(err)
	}
	if strings.Contains(f.log.String(), signature) {
		f.t.Error("the log holds a token")
	}
	head, kid := tokenPart(f.t, token, 0), keyID(f.t, token)
	for _, k := range set.Keys {
		x, _ := base64.RawURLEncoding.DecodeString(k.X)
		if k.Kid == kid && head["alg"] == "EdDSA" && ed25519.Verify(x, []byte(signed), raw) {
			claims := tokenPart(f.t, token, 1)
			if left := time.Until(time.Unix(int64(claims["exp"].(float64)), 0)); left < 30*time.Second || left > 3*time.Minute || claims["aud"] != "cheshire-cat" {
				f.t.Errorf("aud %v, and %v left", claims["aud"], left)
			}
			return claims
		}
	}
	f.t.Fatalf("no published key has signed %v", head)
	return nil
}

func toldToken(subject string) string {
	return staff.with(map[string]any{"sub": subject, "name": "N " + subject, "email": subject + "@example.com", "groups": []string{"/" + subject}})
}

// expectTold asserts what plugins can read of somebody.
func (f *flap) expectTold(token, subject string) {
	f.t.Helper()
	c := f.verified(token)
	if got, want := fmt.Sprint(c["sub"], c["name"], c["email"], c["groups"]), fmt.Sprint(idOf(subject), "N "+subject, subject+"@example.com", []string{"/" + subject}); got != want {
		f.t.Errorf("plugins are told %s, want %s", got, want)
	}
}

// forgeries are a client's own, however it is spelt; each is one member of an object.
var forgeries = []string{
	`"catflap_attributes":"FORGED"`, `"Catflap_Attributes":"FORGED"`, `"c\u0061tflap_attributes":"FORGED"`, `"catflap_attributes":{"x":["FORGED","}"]}`,
	`"catflap_attributes":"FORGED","catflap_attributes":"FORGED"`, `"catflap_attribute\u017f":"FORGED"`,
}

func TestAttributesOverHTTP(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, catMore: toldSettings})
	long := strings.Repeat("x", 100<<10) // which streams through
	for _, subject := range []string{"alice", "bob"} {
		token := toldToken(subject)
		for i, forged := range forgeries {
			for _, body := range []string{`{` + forged + `,"text":"hi"}`, `{"text":"hi",` + forged + `}`, `{"text":"` + long + `",` + forged + `,"more":1}`} {
				got := exchange(t, f.addr, "POST", request("POST /message", f.addr, token, body,
					"X-Catflap-Attributes: FORGED", "X_Catflap_Attributes: FORGED", "x-catflap-attributes: FORGED", "Content-Digest: sha-256=:x:"))
				if got.status != 200 {
					t.Fatalf("%d: %d %s", i, got.status, clip(got.body, 300))
				}
				a := exactlyOne(t, cat.tap.take(), idOf(subject))
				if strings.Contains(string(a.raw), "FORGED") || len(a.values("Content-Digest")) > 0 {
					t.Errorf("%d: %q", i, clip(a.raw, 1500))
				}
				var m map[string]any
				if err := json.Unmarshal(a.body, &m); err != nil {
					t.Fatal(err)
				}
				told := a.values("X-Catflap-Attributes")
				if len(told) != 1 || m["catflap_attributes"] != told[0] {
					t.Fatalf("%d: in the header %q, in the message %q", i, told, m["catflap_attributes"])
				}
				f.expectTold(told[0], subject)
			}
		}
		// Elsewhere there is the header alone.
		exchange(t, f.addr, "GET", request("GET /memory/recall?text=x", f.addr, token, ""))
		f.expectTold(exactlyOne(t, cat.tap.take(), idOf(subject)).values("X-Catflap-Attributes")[0], subject)
	}
	for _, body := range []string{"[]", "\xff\xfe{\x00}\x00", `{"a":1}{}`, `{"text":"` + long, "null"} {
		got := exchange(t, f.addr, "POST", request("POST /message", f.addr, toldToken("alice"), body))
		got.refusal(t, 400)
	}
	none(t, cat.tap.take())
}

// heardMessage says a raw message of a turn, and returns what a plugin sees of it.
func heardMessage(t *testing.T, c *websocket.Conn, raw string) map[string]any {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(raw)); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := hear(c)
		if err != nil {
			t.Fatal(err)
		}
		if s.Type != "chat" {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(s.Text), &m); err != nil {
			t.Fatalf("%q: %v", s.Text, err)
		}
		return m
	}
}

func TestAttributesOnTheSocket(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"shared", "separate"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cat := startCat(t)
			f := start(t, config{cat: cat.tap.addr, catMore: toldSettings, websocket: "session: " + mode})
			for _, subject := range []string{"alice", "bob"} {
				c := mustChat(t, f, toldToken(subject))
				for _, forged := range forgeries {
					for _, raw := range []string{`{` + forged + `,"text":"message"}`, `{"text":"message","n":[1],` + forged + `}`} {
						m := heardMessage(t, c, raw)
						if strings.Contains(fmt.Sprint(m), "FORGED") {
							t.Errorf("a plugin sees %v of %s", m, raw)
						}
						f.expectTold(m["catflap_attributes"].(string), subject)
					}
				}
				m := heardMessage(t, c, `{"text":"message","much":"`+strings.Repeat("x", 100<<10)+`","catflap_attributes":"FORGED"}`)
				f.expectTold(m["catflap_attributes"].(string), subject)
				if len(m["much"].(string)) != 100<<10 {
					t.Error("the message is cut")
				}
			}
			c := mustChat(t, f, toldToken("alice"))
			if err := c.WriteMessage(websocket.TextMessage, []byte(`["catflap_attributes"]`)); err != nil {
				t.Fatal(err)
			}
			s, err := hear(c)
			if told := err == nil && s.Name == "NotAnObject"; told != (mode == "shared") || !told && !websocket.IsCloseError(err, websocket.CloseInvalidFramePayloadData) {
				t.Errorf("%+v, %v", s, err)
			}
			if mode == "shared" {
				f.expectTold(heardMessage(t, c, `{"text":"message"}`)["catflap_attributes"].(string), "alice")
			}
		})
	}
}

// TestAttributesThroughAnother: a message goes up over the socket of another Catflap, and
// says of its sender what the Catflap knows to which they came.
func TestAttributesThroughAnother(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("another key of more than thirty-two bytes, for tests"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := startCoupleOf(t, config{cat: cat.tap.addr, catMore: "attributes: {claims: [name, email, groups], keys: [{file: " + key + "}]}"})
	first, second := mustChat(t, c.a, toldToken("alice")), mustChat(t, c.b, toldToken("alice"))
	m := heardMessage(t, second, `{"text":"message","catflap_attributes":"FORGED"}`)
	c.a.expectTold(m["catflap_attributes"].(string), "alice")
	heardMessage(t, first, `{"text":"message"}`)
	if n := len(handshakes(cat.tap.take(), "alice")); n != 1 {
		t.Errorf("%d sockets at the Cat for one person", n)
	}
}

// TestNoAttributes: without the setting nothing is told, and no key is published.
func TestNoAttributes(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	exchange(t, f.addr, "POST", request("POST /message", f.addr, toldToken("alice"), `{"text":"hi"}`, "X-Catflap-Attributes: FORGED"))
	if a := exactlyOne(t, cat.tap.take(), idOf("alice")); strings.Contains(string(a.raw), "FORGED") || strings.Contains(string(a.raw), "catflap_attributes") {
		t.Errorf("%q", a.raw)
	}
	if status, _ := get(t.Context(), "http://"+f.admin+"/.well-known/jwks.json"); status != 404 {
		t.Errorf("status %d", status)
	}
}

// TestAttributesOfASession: somebody who has signed in in the browser.
func TestAttributesOfASession(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, catMore: "attributes: {claims: [email, groups]}", desks: []desk{p.desk("company")}})
	v := newVisitor(t, publicURL(f.addr))
	v.signIn(p, "company", "bob")
	cat.tap.take()
	v.send(f.addr, "GET", "/memory/recall?text=x", "")
	arrived := cat.tap.take()
	c := f.verified(arrived[len(arrived)-1].values("X-Catflap-Attributes")[0])
	if c["sub"] != "company:"+bobSub || c["email"] == nil || c["groups"] == nil {
		t.Errorf("plugins are told %v", c)
	}
}

// TestAttributesHelper runs the tests of the helper for plugins, and lets PyJWT read what a
// running Catflap has signed.
func TestAttributesHelper(t *testing.T) {
	t.Parallel()
	parts.Need(t, installed.HavePlugin())
	folder := filepath.Join("..", "..", "examples", "attributes")
	cmd := exec.Command(installed.PluginPython(), "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, catMore: toldSettings})
	exchange(t, f.addr, "GET", request("GET /memory/recall?text=x", f.addr, toldToken("alice"), ""))
	token := exactlyOne(t, cat.tap.take(), idOf("alice")).values("X-Catflap-Attributes")[0]
	const program = `
import jwt, sys
url, token = sys.argv[1:]
claims = jwt.decode(token, jwt.PyJWKClient(url).get_signing_key_from_jwt(token).key, algorithms=["EdDSA"], audience="cheshire-cat", options={"require": ["exp", "iat", "sub"]})
print(claims["sub"], claims["groups"])`
	out, err := exec.Command(installed.PluginPython(), "-c", program, "http://"+f.admin+"/.well-known/jwks.json", token).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "staff:alice ['/alice']" {
		t.Errorf("%v\n%s", err, out)
	}
}
