package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
)

const planted = "hunter2-zq81"

// Wherever somebody writes the secret itself by mistake, no message repeats it.
func TestSecretsAreNeverRepeated(t *testing.T) {
	for _, written := range []string{
		planted, `"` + planted + `"`, "[" + planted + "]", "{" + planted + "}", "{" + planted + ": env}",
		"{env: " + planted + "!}", "{env: $" + planted + "}", "{env: [" + planted + "]}", "{env: {" + planted + ": x}}",
		"{file: {" + planted + ": x}}", "{env: X, file: " + planted + "}", "{env: X, value: " + planted + "}",
		"*" + planted, "&" + planted + " x", "!" + planted, "!" + planted + " x", "'" + planted, "\"" + planted, "{env: " + planted, "|\n    " + planted,
		"@" + planted, "`" + planted, "%" + planted, "\"\\q" + planted + "\"", "\"\\x" + planted + "\"", planted + ": " + planted, "!<" + planted + " x", "!<%zz" + planted + "> x", "&" + planted,
	} {
		for _, text := range []string{
			"version: 1\ncat:\n  url: http://127.0.0.1:1865\n  api_key: " + written + "\n",
			valid + "    user_id: sub\n    refresh: true\n  - name: more\n    type: jwt\n    keys:\n      secret: " + written + "\n",
			valid + "  - name: robots\n    type: people\n    people:\n      - name: r2\n        key: " + written + "\n",
			"version: 1\ncat:\n  credential: minted\n  service_accounts:\n    - id: {env: " + written + "}\n",
		} {
			_, err := config.Parse("f", []byte(text), "", known())
			if err == nil && !strings.Contains(text, "id: {env: "+written) {
				t.Errorf("%s: no error", written)
			}
			if err != nil && strings.Contains(err.Error(), planted) {
				t.Errorf("%s: the message repeats it:\n%v", written, err)
			}
		}
	}
	for _, field := range []string{"public_url", "origins", "cat"} {
		text := map[string]string{
			"public_url": "public_url: https://me:" + planted + "@chat.example.com:x\n",
			"origins":    "origins: [\"https://me:" + planted + "@chat.example.com\"]\n",
			"cat":        "cat: {url: \"http://me:" + planted + "@127.0.0.1\"}\n",
		}[field]
		if _, err := config.Parse("f", []byte(text), "", known()); err == nil || strings.Contains(err.Error(), planted) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// Neither the configuration printed in any way nor its resolved form nor what
// Inspect says holds the content of a secret.
func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Setenv("CAT_KEY", planted)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(planted+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(valid, "{env: CAT_KEY_WS}", "{file: key}", 1)
	c, err := config.Parse("f", []byte(text), dir, known())
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := c.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := c.Inspect()
	if err != nil || len(warnings) != 1 {
		t.Errorf("Inspect: warnings %v, error %v; want one warning", warnings, err)
	}
	for _, shown := range []string{fmt.Sprintf("%v", c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), string(resolved), fmt.Sprint(warnings)} {
		if strings.Contains(shown, planted) {
			t.Errorf("the secret is shown: %s", shown)
		}
	}
}
