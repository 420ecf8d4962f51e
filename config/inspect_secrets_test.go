package config_test

import (
	"strings"
	"testing"
)

// A secret that the Cat would not read as we do, or that everybody knows, is none of the
// Cat's.
func TestInspectSecretsOfTheCat(t *testing.T) {
	minted := strings.Replace(valid, "  api_key: {env: CAT_KEY}\n  api_key_ws: {env: CAT_KEY_WS}\n",
		"  credential: minted\n  jwt_secret: {env: CAT_JWT}\n  service_accounts: [{id: x, permissions: [\"STATUS:READ\"]}]\n", 1)
	const known = "everybody knows it: it is a default of the Cat's, or an example of its documentation"
	for _, c := range []struct{ name, variable, text, content, problem string }{
		{"good key", "CAT_KEY", valid, "0123456789abcdef", ""},
		{"quotes", "CAT_KEY", valid, `"0123456789abcdef"`, "quotes stand around it; write it without them: here they are a part of it"},
		{"line ends", "CAT_KEY_WS", valid, "0123456789abcdef\r\n\n", "it holds more than one line; write the secret alone, on one line"},
		{"byte order mark", "CAT_KEY", valid, "\ufeff0123456789abcdef", "it begins with a byte order mark; save it as UTF-8 without one"},
		{"beyond ASCII", "CAT_KEY", valid, "schlüssel", "it holds letters beyond ASCII, which the Cat reads otherwise in a header"},
		{"no text", "CAT_KEY_WS", valid, "0123\xff\xfe456", "it holds letters beyond ASCII, which the Cat reads otherwise in a header"},
		{"default key", "CAT_KEY", valid, "meow", known},
		{"default secret", "CAT_JWT", minted, "secret", known},
		{"default secret of another generation", "CAT_JWT", minted, "meow_jwt", known},
		{"documented example", "CAT_JWT", minted, "yet-another-very-long-and-alphanumeric-secret", known},
		{"good secret", "CAT_JWT", minted, "schlüssel zum Kater", ""},
		{"secret that is no text", "CAT_JWT", minted, "0123\xff\xfe456", "it is no UTF-8, and the Cat reads it as text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"CAT_KEY", "CAT_KEY_WS", "CAT_JWT"} {
				t.Setenv(name, "fine-and-long-enough")
			}
			t.Setenv(c.variable, c.content)
			_, problems := inspect(t, c.text, t.TempDir())
			if (problems == "") != (c.problem == "") || !strings.Contains(problems, c.problem) {
				t.Errorf("got %q, want %q", problems, c.problem)
			}
			if c.content != "secret" && strings.Contains(problems, c.content) { // which is in the name of the field
				t.Errorf("the secret is repeated: %s", problems)
			}
		})
	}
}

// The Cat's secret at a handler is judged as that of cat, and is the same one.
func TestInspectSecretOfOwnUsers(t *testing.T) {
	minted := strings.Replace(valid, "  api_key: {env: CAT_KEY}\n  api_key_ws: {env: CAT_KEY_WS}\n",
		"  credential: minted\n  jwt_secret: {env: CAT_JWT}\n  service_accounts: [{id: x, permissions: [\"*\"]}]\n", 1) +
		"  - {name: cat, type: catuser, jwt_secret: {env: OWN}}\n"
	for _, c := range []struct{ own, problem string }{
		{"fine-and-long-enough", ""},
		{"another-one", "differs from cat.jwt_secret"},
		{"secret", "everybody knows it"},
		{"0123\xff\xfe456", "no UTF-8"},
	} {
		t.Setenv("CAT_JWT", "fine-and-long-enough")
		t.Setenv("OWN", c.own)
		_, problems := inspect(t, minted, t.TempDir())
		if (problems == "") != (c.problem == "") || !strings.Contains(problems, c.problem) {
			t.Errorf("%q: %s", c.own, problems)
		}
	}
}
