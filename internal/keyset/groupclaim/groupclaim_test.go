package groupclaim_test

import (
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/keyset/groupclaim"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

func TestForms(t *testing.T) {
	for _, c := range []struct {
		name, claims      string
		paths             string
		separator, object string
		want, odd         string
	}{
		{"a list", `{"groups":["a","b"]}`, "groups", "", "", "a|b", ""},
		{"a list, with commas", `{"groups":["a,b"]}`, "groups", "comma", "", "a,b", ""},
		{"an empty list", `{"groups":[]}`, "groups", "", "", "", ""},
		{"numbers", `{"groups":[1]}`, "groups", "whole", "keys", "", "something else"},
		{"one text", `{"groups":"a b,c"}`, "groups", "", "", "", "one text"},
		{"words", `{"groups":" a  b,c "}`, "groups", "space", "", "a|b,c", ""},
		{"a comma list", `{"groups":" a b , c,,d "}`, "groups", "comma", "", "a b|c|d", ""},
		{"the whole text", `{"groups":"a b,c"}`, "groups", "whole", "", "a b,c", ""},
		{"an empty text", `{"groups":""}`, "groups", "whole", "", "", ""},
		{"an object", `{"groups":{"admin":{"1":"x"}}}`, "groups", "comma", "", "", "an object"},
		{
			"Zitadel's", `{"urn:zitadel:iam:org:project:roles":{"admin":{"1":"x.example","2":"y.example"},"editor":{"1":"x.example"}}}`,
			"urn:zitadel:iam:org:project:roles", "", "keys", "admin|editor", "",
		},
		{"roles that somebody lacks", `{"groups":{"a":false,"b":null,"c":{},"d":[],"e":"","f":true,"g":"x","h":["x"],"":{"1":1},"i":0}}`, "groups", "", "keys", "f|g|h", ""},
		{"an empty object", `{"groups":{}}`, "groups", "", "keys", "", ""},
		{"several claims", `{"groups":["a","b"],"realm_access":{"roles":["b","c"]}}`, "groups\nrealm_access.roles", "", "", "a|b|c", ""},
		{"several claims, one missing", `{"realm_access":{"roles":["c"]}}`, "groups\nrealm_access.roles", "", "", "c", ""},
		{"several claims of several forms", `{"groups":"a,b","roles":{"c":{"1":"x"}},"x":["d"]}`, "groups\nroles\nx", "comma", "keys", "a|b|c|d", ""},
		{"several claims, one odd", `{"groups":7,"x":["d"]}`, "groups\nx", "", "", "d", "neither"},
		{"none", `{"groups":["a"]}`, "", "", "", "", ""},
	} {
		var paths []string
		if c.paths != "" {
			paths = strings.Split(c.paths, "\n")
		}
		r, err := groupclaim.New(paths, c.separator, c.object)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := strictjson.ParseObject(c.claims, 16)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.Of(claims), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if len(r.Paths()) == 0 {
			continue
		}
		v, ok := claims.At(r.Paths()[0])
		if got := r.OddShape(v); ok && (got == "" != (c.odd == "") || !strings.Contains(got, c.odd)) {
			t.Errorf("%s: odd %q, want %q", c.name, got, c.odd)
		}
	}
	if _, err := groupclaim.New([]string{"a..b"}, "", ""); err == nil {
		t.Error("a path with an empty step")
	}
}

// FuzzOf holds that nothing is made a group that the claim does not hold.
func FuzzOf(f *testing.F) {
	f.Add(`{"groups":"a,b"}`, "comma", "keys")
	f.Add(`{"groups":{"a":{"b":"c"}}}`, "space", "keys")
	f.Fuzz(func(t *testing.T, text, separator, object string) {
		claims, err := strictjson.ParseObject(text, 16)
		if err != nil {
			return
		}
		r, err := groupclaim.New([]string{"groups", "g"}, separator, object)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, g := range r.Of(claims) {
			if seen[g] {
				t.Fatalf("%q twice of %s", g, text)
			}
			seen[g] = true
			if plain := !strings.Contains(text, `\`); plain && !strings.Contains(text, g) {
				t.Fatalf("%q of %s", g, text)
			}
		}
	})
}
