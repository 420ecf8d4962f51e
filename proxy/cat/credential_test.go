package cat

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func permissions(t *testing.T, texts ...string) Permissions {
	t.Helper()
	var s Permissions
	for _, text := range texts {
		p, err := ParsePermissions(text)
		if err != nil {
			t.Fatal(err)
		}
		s |= p
	}
	return s
}

func TestKeysGoWhereTheyBelong(t *testing.T) {
	k := NewKeys("http-key", "ws-key")
	c := V1()
	h := http.Header{}
	r, _ := c.Route("POST", "/message")
	if err := k.HTTP(h, Person{ID: "alice"}, r); err != nil || h.Get("Authorization") != "Bearer http-key" || h.Get("Cookie") != "" {
		t.Errorf("%v %v", h, err)
	}
	panel, _ := c.Route("GET", "/admin/")
	h = http.Header{"Cookie": {"plugin=1"}}
	if err := k.HTTP(h, Person{ID: "alice"}, panel); err != nil || len(h["Cookie"]) != 1 || h.Get("Cookie") != PanelCookie+"=http-key; plugin=1" {
		t.Errorf("%v %v", h, err)
	}
	if token, err := k.Chat(Person{ID: "alice"}); err != nil || token != "ws-key" {
		t.Error("the socket's key is not the WebSocket key")
	}
}

// granted is somebody with these permissions.
func granted(t *testing.T, id string, texts ...string) Person {
	return Person{ID: id, Held: permissions(t, texts...)}
}

func minter(t *testing.T, now func() time.Time) *Minter {
	t.Helper()
	m, err := NewMinter([]byte("the Cat's own secret"), []Account{
		{ID: "chat", Permissions: permissions(t, "STATUS:READ", "CONVERSATION:*")},
		{ID: "reader", Permissions: permissions(t, "STATUS:READ", "CONVERSATION:*", "MEMORY:READ")},
		{ID: "admin", Permissions: permissions(t, "*")},
	}, V1(), now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// claimsOf reads a minted token.
func claimsOf(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte("the Cat's own secret"), nil }); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestMintedTokensAreThePersonsOwn(t *testing.T) {
	now := time.Now()
	m := minter(t, func() time.Time { return now })
	alice, bob := granted(t, "staff:alice", "*"), Person{ID: "staff:bob", Held: Base}
	message, _ := V1().Route("POST", "/message")
	for who, account := range map[Person]string{alice: "admin", bob: "reader"} {
		h := http.Header{}
		if err := m.HTTP(h, who, message); err != nil {
			t.Fatal(err)
		}
		token, err := m.Chat(who)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{token, h.Get("Authorization")[len("Bearer "):]} {
			if c := claimsOf(t, text); c["sub"] != account || c["username"] != who.ID || c["aud"] != nil {
				t.Errorf("%s: %v", who.ID, c)
			}
		}
		if rights, err := m.ChatRights(who); err != nil || !who.Held.Covers(rights) {
			t.Errorf("%s: %v, %v", who.ID, rights.Names(), err)
		}
	}
	token, err := m.Chat(bob)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := m.Chat(bob); again != token {
		t.Error("the token of a moment ago was not used again")
	}
	if other, _ := m.Chat(Person{ID: "staff:carol", Held: Base}); other == token {
		t.Error("two people share a token")
	}
	now = now.Add(mintedReuse + time.Second)
	if later, _ := m.Chat(bob); later == token {
		t.Error("an old token was used again")
	}
}

func TestMinterRefusesWhatNoAccountFits(t *testing.T) {
	r, _ := V1().Route("GET", "/users/")
	h := http.Header{}
	if err := minter(t, time.Now).HTTP(h, granted(t, "alice", "USERS:LIST", "STATUS:READ"), r); !errors.Is(err, ErrNoAccount) || len(h) != 0 {
		t.Errorf("%v %v", h, err)
	}
}

// With the keys and the secret, a token goes with what plugins act on, and the key
// with the rest.
func TestKeysAndTokens(t *testing.T) {
	both := &KeysAndTokens{Keys: NewKeys("http-key", "ws-key"), Minter: minter(t, time.Now)}
	bob := Person{ID: "staff:bob", Held: Base}
	for _, c := range []struct {
		name, method, path string
		token              bool
	}{
		{"a turn", "POST", "/message", true},
		{"a plugin's endpoint", "GET", "/custom/x", true},
		{"own data", "GET", "/memory/recall", false},
		{"the status", "GET", "/", false},
		{"the panel", "GET", "/admin/", false},
	} {
		r, known := V1().Route(c.method, c.path)
		if !known {
			r = Route{Pattern: "* " + c.path, Plugins: true}
		}
		h := http.Header{}
		if err := both.HTTP(h, bob, r); err != nil || (h.Get("Authorization") != "Bearer http-key") != c.token {
			t.Errorf("%s: %v, %v", c.name, h, err)
		}
	}
	upload, _ := V1().Route("POST", "/rabbithole/")
	if err := both.HTTP(http.Header{}, granted(t, "staff:carol", "UPLOAD:WRITE"), upload); !errors.Is(err, ErrNoAccount) {
		t.Errorf("hooks of an upload would be told of all permissions: %v", err)
	}
	token, err := both.Chat(bob)
	if err != nil || claimsOf(t, token)["sub"] != "reader" {
		t.Errorf("the socket: %q, %v", token, err)
	}
}
