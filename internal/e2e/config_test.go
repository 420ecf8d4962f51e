package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// config is the part of a configuration file that tests vary.
type config struct {
	listen, admin string
	cat           string   // the address of the Cat, with https:// if it is behind TLS
	cats          []string // the addresses of several, instead
	catKeys       string   // lines of cat in place of the two keys
	catMore       string   // further lines of cat
	jwksURL       string   // of a real identity provider; empty takes the issuer of this package
	issuer        string   // with jwksURL
	algorithms    string   // with jwksURL
	handlerMore   string   // further lines of the handler
	handlers      string   // lines of handlers, in place of the usual ones
	env           []string // further variables of the process
	permissions   string   // lines of permissions, instead of the usual ones
	websocket     string   // lines of websocket
	limits        string   // lines of limits
	more          string   // further sections
	handlersMore  string   // further handlers, whole
	desks         []desk   // where people sign in in a browser, beside the handler staff
	sessions      string   // lines of sessions
	binary        string   // that is run, if not the usual one
	publicURL     string   // what browsers see, if not the address itself by another name
}

const usualKeys = "api_key: {env: CCAT_API_KEY}\napi_key_ws: {env: CCAT_API_KEY_WS}"

// desk is a handler of type oidc.
type desk struct {
	name             string
	provider         issuing
	clientID, secret string
	more             string // further lines of the handler
}

// publicURL is what browsers see: another name than the providers', as in real life.
func publicURL(addr string) string {
	_, port, _ := strings.Cut(addr, ":")
	return "http://localhost:" + port
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
	if strings.HasPrefix(c.cat, "https://") {
		behind = "url: " + c.cat
	}
	if len(c.cats) > 0 {
		behind = "urls: [http://" + strings.Join(c.cats, ", http://") + "]"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `version: 1
listen: %s
admin_listen: %s
cat:
  %s
%s%shandlers:
%slog: {format: json, audit: all}
`, c.listen, c.admin, behind, indent(cmp.Or(c.catKeys, usualKeys)), indent(c.catMore), cmp.Or(indent(c.handlers), fmt.Sprintf(`  - name: staff
    type: jwt
    issuer: %s
    audiences: [catflap]
    algorithms: [%s]
    keys: {%s}
    groups: groups
%s%s`, issuer, algorithms, keys, indent(indent(c.handlerMore)), indent(c.handlersMore)+c.deskLines())))
	if c.permissions == "" {
		c.permissions = "everyone: [base]\ngrants:\n  - {from: [staff], groups: [" + groups + "], allow: [admin]}"
		for _, d := range c.desks {
			c.permissions += "\n  - {from: [" + d.name + "], groups: [/cat-admins], allow: [admin]}"
		}
	}
	if len(c.desks) > 0 || c.handlers != "" || strings.Contains(c.handlersMore, "login: true") {
		fmt.Fprintf(&b, "public_url: %s\n", cmp.Or(c.publicURL, publicURL(c.listen)))
	}
	for _, section := range []struct{ name, lines string }{
		{"permissions", c.permissions}, {"websocket", c.websocket}, {"limits", c.limits}, {"sessions", c.sessions},
	} {
		if section.lines != "" {
			fmt.Fprintf(&b, "%s:\n%s", section.name, indent(section.lines))
		}
	}
	return b.String() + c.more
}

// deskLines are the handlers through which people sign in. Their secrets stand in
// files beside the configuration.
func (c config) deskLines() string {
	var b strings.Builder
	for _, d := range c.desks {
		fmt.Fprintf(&b, `  - name: %s
    type: oidc
    issuer: %s
    client_id: %s
    client_secret: {file: %s.secret}
    audiences: [%s]
    groups: groups
    title: The %s desk
%s`, d.name, d.provider.issuer(), d.clientID, d.name, d.clientID, d.name, indent(indent(d.more)))
	}
	return b.String()
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
	files := map[string]string{file: c.text(), filepath.Join(filepath.Dir(file), "staff.jwks.json"): staff.keySet()}
	for _, d := range c.desks {
		files[filepath.Join(filepath.Dir(file), d.name+".secret")] = d.secret
	}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// desk is the provider's client catflap as a handler of Catflap's.
func (p *provider) desk(name string) desk {
	return desk{name: name, provider: p, clientID: "catflap", secret: "catflap-secret", more: "scopes: [openid, profile, email, groups]"}
}

// desk is this test's client as a handler of Catflap's.
func (k *keycloak) desk(name string) desk {
	return desk{name: name, provider: k, clientID: k.clientID, secret: k.clientSecret}
}
