package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// config is the part of a configuration file that tests vary.
type config struct {
	listen, admin string
	cat           string   // the address of the Cat
	cats          []string // the addresses of several, instead
	catMore       string   // further lines of cat
	jwksURL       string   // of a real identity provider; empty takes the issuer of this package
	issuer        string   // with jwksURL
	algorithms    string   // with jwksURL
	handlerMore   string   // further lines of the handler
	permissions   string   // lines of permissions, instead of the usual ones
	websocket     string   // lines of websocket
	limits        string   // lines of limits
	more          string   // further sections
}

func (c config) text() string {
	issuer, algorithms, keys, groups := issuerName, "EdDSA", "jwks_file: staff.jwks.json", "cat-admins"
	if c.jwksURL != "" {
		issuer, algorithms, keys, groups = c.issuer, "RS256, ES256, EdDSA", "jwks_url: "+c.jwksURL, "/cat-admins"
	}
	if c.algorithms != "" {
		algorithms = c.algorithms
	}
	behind := "url: http://" + c.cat
	if len(c.cats) > 0 {
		behind = "urls: [http://" + strings.Join(c.cats, ", http://") + "]"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `version: 1
listen: %s
admin_listen: %s
cat:
  %s
  api_key: {env: CCAT_API_KEY}
  api_key_ws: {env: CCAT_API_KEY_WS}
%shandlers:
  - name: staff
    type: jwt
    issuer: %s
    audiences: [catflap]
    algorithms: [%s]
    keys: {%s}
    groups: groups
%slog: {format: json, audit: all}
`, c.listen, c.admin, behind, indent(c.catMore), issuer, algorithms, keys, indent(indent(c.handlerMore)))
	if c.permissions == "" {
		c.permissions = "everyone: [base]\ngrants:\n  - {from: [staff], groups: [" + groups + "], allow: [admin]}"
	}
	for _, section := range []struct{ name, lines string }{{"permissions", c.permissions}, {"websocket", c.websocket}, {"limits", c.limits}} {
		if section.lines != "" {
			fmt.Fprintf(&b, "%s:\n%s", section.name, indent(section.lines))
		}
	}
	return b.String() + c.more
}

// indent sets each line two spaces in.
func indent(lines string) string {
	if lines == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n  ") + "\n"
}

// write puts the configuration and the keys that it names into one folder.
func (c config) write(t testing.TB, file string) {
	t.Helper()
	for name, content := range map[string]string{
		file: c.text(), filepath.Join(filepath.Dir(file), "staff.jwks.json"): staff.keySet(),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
