package cat

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const ownSecret = "the Cat's own secret, long enough"

// mintedOf reads a minted token, or says that it is another credential.
func mintedOf(t *testing.T, token string) (sub, name string) {
	t.Helper()
	parsed, err := jwt.Parse(strings.TrimPrefix(token, "Bearer "), func(*jwt.Token) (any, error) { return []byte(ownSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuer(MintedIssuer))
	if err != nil {
		return "", strings.TrimPrefix(token, "Bearer ")
	}
	claims, _ := parsed.Claims.(jwt.MapClaims)
	sub, _ = claims["sub"].(string)
	name, _ = claims["username"].(string)
	return sub, name
}

// TestOwnAccounts: one of the Cat's own users goes out on the very account that they
// are there, unless that would tell plugins of more than they hold here.
func TestOwnAccounts(t *testing.T) {
	keys := NewKeys("http-key", "ws-key")
	minter, err := NewMinter([]byte(ownSecret), []Account{{"svc-base", Base}, {"svc-all", All}}, V1(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	upload := permissions(t, "UPLOAD:WRITE")
	own := Person{ID: "alice", Held: Base, Account: "a-1", Stored: Base}
	denied := Person{ID: "alice", Held: Base, Account: "a-1", Stored: Base | upload}
	staff := Person{ID: "staff:alice", Held: Base}
	for _, c := range []struct {
		name      string
		others    Credentials
		who       Person
		at        string // method and path
		sub, user string // of an API key, the key
		chat      string // the sub at the socket, or the key
	}{
		{"beside the keys", keys, own, "POST /message", "a-1", "alice", "a-1"},
		{"at what the Cat does itself", keys, own, "GET /memory/recall", "a-1", "alice", "a-1"},
		{"beside keys and tokens", &KeysAndTokens{keys, minter}, own, "GET /memory/recall", "a-1", "alice", "a-1"},
		{"minted", minter, own, "POST /message", "a-1", "alice", "a-1"},
		{"clears the own conversation", minter, own, "DELETE /memory/conversation_history", "svc-all", "alice", "a-1"},
		{"somebody else", minter, staff, "POST /message", "svc-base", "staff:alice", "svc-base"},
		{"somebody else beside the keys", keys, staff, "POST /message", "", "http-key", "ws-key"},
		{"who holds less here", minter, denied, "POST /message", "svc-base", "alice", "svc-base"},
		{"who holds less here, and there are keys alone", keys, denied, "POST /message", "a-1", "alice", "a-1"},
	} {
		o, err := NewOwnAccounts([]byte(ownSecret), c.others, V1(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		method, path, _ := strings.Cut(c.at, " ")
		route, _ := V1().Route(method, path)
		h := http.Header{}
		if err := o.HTTP(h, c.who, route); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if sub, user := mintedOf(t, h.Get("Authorization")); sub != c.sub || user != c.user {
			t.Errorf("%s: %q as %q", c.name, sub, user)
		}
		token, err := o.Chat(c.who)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		sub, user := mintedOf(t, token)
		if sub == "" {
			sub = user
		}
		if sub != c.chat {
			t.Errorf("%s: chats on %q", c.name, sub)
		}
		rights, err := o.ChatRights(c.who)
		if err != nil || c.chat == "a-1" && rights != c.who.Stored {
			t.Errorf("%s: %v, %v", c.name, rights.Names(), err)
		}
	}
}
