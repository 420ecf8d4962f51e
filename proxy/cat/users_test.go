package cat_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
)

// TestUsers: all of the Cat's users are listed but for our own, and a token is given for
// a name and its password alone.
func TestUsers(t *testing.T) {
	running, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	service := running.AddAccount("catflap-base", "nobody knows", standin.BasePermissions())
	for i := range 1200 {
		running.AddAccount(fmt.Sprintf("person-%d", i), "a password", standin.Permissions{"STATUS": {"READ"}, "NEW": {"READ"}})
	}
	users := &cat.Users{
		Base: base, HTTP: &http.Client{Timeout: 5 * time.Second}, Credentials: cat.NewKeys("http-key", "ws-key"),
		Accounts: []cat.Account{{ID: service}},
	}
	list, err := users.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]cat.User{}
	for _, u := range list {
		found[u.Username] = u
	}
	if _, ours := found["catflap-base"]; ours || len(found) != len(list) || len(list) < 1200 {
		t.Errorf("%d users, %d names, ours is there: %v", len(list), len(found), ours)
	}
	last := found["person-1199"]
	if got := last.Named().Names(); len(got) != 1 || got[0] != "STATUS:READ" {
		t.Errorf("the last one holds %v", got)
	}
	if token, err := users.Token(t.Context(), "person-7", "a password"); err != nil || strings.Count(token, ".") != 2 {
		t.Errorf("a token: %q, %v", token, err)
	}
	if token, err := users.Token(t.Context(), "person-7", "another"); err != nil || token != "" {
		t.Errorf("with a wrong password: %q, %v", token, err)
	}
	users.Credentials = cat.NewKeys("another", "ws-key")
	if _, err := users.List(t.Context()); err == nil || !strings.Contains(err.Error(), "cat.api_key") {
		t.Errorf("with a wrong key: %v", err)
	}
}
