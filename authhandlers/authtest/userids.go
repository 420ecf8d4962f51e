package authtest

import (
	_ "embed"
	"encoding/json"
	"testing"
)

//go:embed user_ids.json
var userIDs string

// UserIDs is the table of subjects, and of the user ids that they are for every handler.
type UserIDs struct {
	Reserved      []string
	MaxLength     int      `json:"max_length"`
	MaxClaimBytes int      `json:"max_claim_bytes"`
	BadAliases    []string `json:"bad_aliases"`
	GoodAliases   []string `json:"good_aliases"`
	Rows          []UserIDRow
}

// UserIDRow is one subject, from a handler with an alias.
type UserIDRow struct {
	Name, Alias string
	// Expect is accept, or anything else for a subject that is nobody's, for a Reason.
	Expect, Reason string
	// Claim is the subject; nil where it is no text, as ClaimJSON has it. Both are empty
	// where it is missing.
	Claim     *string
	ClaimJSON string `json:"claim_json"`
	UserID    string `json:"user_id"`
	WSPath    string `json:"ws_path"`
}

// ReadUserIDs returns the table.
func ReadUserIDs(t testing.TB) UserIDs {
	t.Helper()
	var table UserIDs
	if err := json.Unmarshal([]byte(userIDs), &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// JSON is the claim as a token or an answer has it, or "" where it is missing.
func (r UserIDRow) JSON(t testing.TB) string {
	t.Helper()
	if r.Claim == nil {
		return r.ClaimJSON
	}
	b, err := json.Marshal(*r.Claim)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
