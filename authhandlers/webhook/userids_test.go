package webhook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
)

// TestUserIDs: each subject of the table is the id that it is for every handler, or
// nobody's.
func TestUserIDs(t *testing.T) {
	f := newFixture(t, nil)
	for _, row := range authtest.ReadUserIDs(t).Rows {
		claim := row.JSON(t)
		f.answers(says(`{"user_id":` + claim + `}`))
		if claim == "" {
			f.answers(says(`{}`))
		}
		f.clock.Advance(time.Minute)
		chain, err := authhandlers.NewChain(f.clock.Now, authhandlers.Link{Name: "legacy", Alias: row.Alias, Handler: f.h})
		if err != nil {
			continue // the row is about the alias
		}
		u, err := chain.Authenticate(t.Context(), with(sessionHeader, "x"))
		switch {
		case row.Expect == "accept" && (err != nil || u.ID != row.UserID):
			t.Errorf("%s: %v, want %q", row.Name, err, row.UserID)
		case row.Expect != "accept" && err == nil && strings.Trim(claim, "0123456789") != "": // numbers are names here
			t.Errorf("%s: accepted as %q", row.Name, u.ID)
		}
	}
}
