package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestAnAccountThatTheCatRefuses: a wrong secret and a deleted account are faults of
// the operator's, not of the person who asks: 502, and the reason at readiness and in the log.
func TestAnAccountThatTheCatRefuses(t *testing.T) {
	t.Parallel()
	t.Run("the secret is another", func(t *testing.T) {
		cat, accounts := startCatOfTokens(t)
		other := serveCat(t, "127.0.0.1:0", standin.Options{APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: "another secret of the Cat"})
		_ = cat
		f := launch(t, config{cat: other.tap.addr, catKeys: "credential: minted\n" + accounts, permissions: rightsRules})
		f.await("looking at the Cat", func() bool { _, body := f.readiness(); return !strings.Contains(body, "not been looked at") })
		f.expectRefusedAccount(t, bob())
	})
	t.Run("an account is deleted", func(t *testing.T) {
		cat, accounts := startCatOfTokens(t)
		f := start(t, config{cat: cat.tap.addr, catKeys: "credential: minted\n" + accounts, permissions: rightsRules})
		if got := exchange(t, f.addr, "GET", request("GET /", f.addr, bob(), "")).status; got != 200 {
			t.Fatalf("before: %d", got)
		}
		id := accountNamed(t, cat, "base")
		req, err := http.NewRequest(http.MethodDelete, cat.URL+"/users/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+catKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("delete: %v, %v", resp, err)
		}
		_ = resp.Body.Close()
		f.expectRefusedAccount(t, bob())
		if got := exchange(t, f.addr, "GET", request("GET /users/", f.addr, root(), "")).status; got != 200 {
			t.Errorf("an administrator, whose account is there: %d", got)
		}
		if got := guarded(t, f, staff.token("dora")); got != 403 {
			t.Errorf("a plugin's own refusal: %d", got)
		}
	})
}

func (f *flap) expectRefusedAccount(t *testing.T, token string) {
	t.Helper()
	a := exchange(t, f.addr, "GET", request("GET /", f.addr, token, ""))
	if a.status != 502 || !strings.Contains(string(a.body), `"cat_refused"`) {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	const reason = "the Cat refuses the service account"
	await(t, "unready with the reason", func() bool {
		status, body := f.readiness()
		return status == 503 && strings.Contains(body, reason) && strings.Contains(f.log.String(), reason)
	}, f.log.String)
}

// accountNamed is the id of one of the Cat's users.
func accountNamed(t *testing.T, cat *catBehindTap, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cat.URL+"/users/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+catKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var users []struct{ ID, Username string }
	if err := json.NewDecoder(resp.Body).Decode(&users); err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if u.Username == name {
			return u.ID
		}
	}
	t.Fatalf("the Cat has no user %s", name)
	return ""
}
