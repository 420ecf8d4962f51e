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
	if err := k.HTTP(h, "alice", r); err != nil || h.Get("Authorization") != "Bearer http-key" || h.Get("Cookie") != "" {
		t.Errorf("%v %v", h, err)
	}
	panel, _ := c.Route("GET", "/admin/")
	h = http.Header{"Cookie": {"plugin=1"}}
	if err := k.HTTP(h, "alice", panel); err != nil || len(h["Cookie"]) != 1 || h.Get("Cookie") != PanelCookie+"=http-key; plugin=1" {
		t.Errorf("%v %v", h, err)
	}
	if token, err := k.Chat("alice"); err != nil || token != "ws-key" {
		t.Error("the socket's key is not the WebSocket key")
	}
}

func TestMinterTakesTheLeastAccount(t *testing.T) {
	now := time.Now()
	c := V1()
	m, err := NewMinter([]byte("the Cat's own secret"), []Account{
		{ID: "chat", Permissions: permissions(t, "STATUS:READ", "CONVERSATION:*")},
		{ID: "reader", Permissions: permissions(t, "STATUS:READ", "CONVERSATION:*", "MEMORY:READ", "UPLOAD:WRITE")},
		{ID: "admin", Full: true, Permissions: permissions(t, "*")},
	}, c, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	unknown := Route{Pattern: "unknown", Admin: true}
	for _, row := range []struct{ method, path, account string }{
		{"POST", "/message", "chat"},
		{"GET", "/memory/recall", "reader"},
		{"POST", "/rabbithole/web", "reader"}, // one permission at the Cat: Catflap's policy has decided before
		{"DELETE", "/memory/conversation_history", "admin"},
		{"GET", "/users/", "admin"},
		{"GET", "/admin/", "admin"},
		{"", "", "admin"},
	} {
		r := unknown
		if row.path != "" {
			r, _ = c.Route(row.method, row.path)
		}
		h := http.Header{}
		if err := m.HTTP(h, "staff:alice", r); err != nil {
			t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		if _, err := jwt.ParseWithClaims(h.Get("Authorization")[len("Bearer "):], claims, func(*jwt.Token) (any, error) {
			return []byte("the Cat's own secret"), nil
		}); err != nil {
			t.Fatal(err)
		}
		if claims["sub"] != row.account || claims["username"] != "staff:alice" || claims["aud"] != nil {
			t.Errorf("%s %s: %v", row.method, row.path, claims)
		}
	}
	token, err := m.Chat("staff:alice")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := m.Chat("staff:alice"); again != token {
		t.Error("the token of a moment ago was not used again")
	}
	if other, _ := m.Chat("staff:bob"); other == token {
		t.Error("two people share a token")
	}
	now = now.Add(mintedReuse + time.Second)
	if later, _ := m.Chat("staff:alice"); later == token {
		t.Error("an old token was used again")
	}
}

func TestMinterRefusesWhatNoAccountCovers(t *testing.T) {
	c := V1()
	m, err := NewMinter([]byte("s3cret-s3cret"), []Account{{ID: "chat", Permissions: permissions(t, "CONVERSATION:*")}}, c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := c.Route("GET", "/users/")
	h := http.Header{}
	if err := m.HTTP(h, "alice", r); !errors.Is(err, ErrNoAccount) || len(h) != 0 {
		t.Errorf("%v %v", h, err)
	}
}
