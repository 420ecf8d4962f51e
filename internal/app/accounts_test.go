package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/builtin"
)

// TestWhomNoAccountFits: check says which people would be refused, and what plugins
// believe where only the keys are there.
func TestWhomNoAccountFits(t *testing.T) {
	t.Setenv("SOME_SECRET", strings.Repeat("x", 32))
	const (
		keys   = "api_key: {env: SOME_SECRET}, api_key_ws: {env: SOME_SECRET}"
		minted = "credential: minted"
		tokens = `, jwt_secret: {env: SOME_SECRET}, service_accounts: [{id: a, permissions: ["STATUS:READ", "CONVERSATION:*", "MEMORY:READ"]}, {id: b, permissions: ["*"]}]`
	)
	for _, c := range []struct{ name, cat, own, rules, want string }{
		{"base and administrators", minted + tokens, "", `grants: [{groups: [g], allow: [admin]}]`, ""},
		{"editors", minted + tokens, "", `grants: [{groups: [g], allow: ["UPLOAD:WRITE"]}]`, "UPLOAD:WRITE, STATIC:READ: they are refused what needs UPLOAD:WRITE"},
		{"those who may do less", minted + tokens, "", `grants: [{groups: [g], deny: ["STATUS:READ"]}]`, "they are refused what needs MEMORY:READ, CONVERSATION:WRITE"},
		{"a handler's own", minted + tokens, `permissions: ["CONVERSATION:WRITE"]`, "", "hold CONVERSATION:WRITE: they are refused what needs CONVERSATION:WRITE"},
		{"the keys alone", keys, "", "", "believe that each person may do everything over HTTP"},
		{"keys and tokens", keys + tokens, "", "", ""},
		{"keys and tokens: memories come by an upload", keys + tokens, "", `grants: [{groups: [g], allow: ["MEMORY:WRITE"]}]`, "needs MEMORY:WRITE"},
		{"keys and tokens: users go with the key", keys + tokens, "", `grants: [{groups: [g], allow: ["USERS:LIST"]}]`, ""},
	} {
		dir := t.TempDir()
		file := dir + "/catflap.yaml"
		f := &flap{dir: dir}
		f.write(t, "catflap.yaml", fmt.Sprintf("version: 1\ncat: {url: \"http://127.0.0.1:1865\", %s}\n"+
			"handlers: [{name: h, type: jwt, issuer: \"https://idp.example.com\", audiences: [cat], groups: groups, keys: {jwks_url: \"https://idp.example.com/k\"}, %s}]\n"+
			"permissions: {everyone: [base], %s}\n", c.cat, c.own, c.rules))
		_, warnings, err := Load(file, builtin.Registry())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		said := fmt.Sprint(warnings)
		if (c.want == "") != (len(warnings) == 0) || !strings.Contains(said, c.want) {
			t.Errorf("%s: warnings %s", c.name, said)
		}
	}
}
