package introspection_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// TestUserIDs: each subject of the table is the id that it is for every handler, or
// nobody's.
func TestUserIDs(t *testing.T) {
	text, err := os.ReadFile("../testdata/user_ids.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Rows []struct {
			Name, Alias, Expect string
			Claim               *string
			ClaimJSON           string `json:"claim_json"`
			UserID              string `json:"user_id"`
		}
	}
	if err := json.Unmarshal(text, &table); err != nil || len(table.Rows) < 100 {
		t.Fatal(len(table.Rows), err)
	}
	f := newFixture(t, nil)
	for _, row := range table.Rows {
		claim := row.ClaimJSON
		if row.Claim != nil {
			b, err := json.Marshal(*row.Claim)
			if err != nil {
				t.Fatal(err)
			}
			claim = string(b)
		}
		answer := strings.Replace(f.claims("SUBJECT", map[string]any{"username": nil}), `"SUBJECT"`, claim, 1)
		if claim == "" {
			answer = f.claims("", map[string]any{"sub": nil})
		}
		f.says("token", answer)
		f.clock.Advance(time.Minute)
		chain, err := authhandlers.NewChain(f.clock.Now, authhandlers.Link{Name: "opaque", Alias: row.Alias, Handler: f.h})
		if err != nil {
			continue // the row is about the alias
		}
		u, err := chain.Authenticate(t.Context(), from("192.0.2.7", "token"))
		switch {
		case row.Expect == "accept" && (err != nil || u.ID != row.UserID):
			t.Errorf("%s: %v, want %q", row.Name, err, row.UserID)
		case row.Expect != "accept" && err == nil:
			t.Errorf("%s: accepted as %q", row.Name, u.ID)
		}
	}
}
