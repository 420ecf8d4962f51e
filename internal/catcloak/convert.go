package catcloak

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/catflap/catflap/internal/loopback"
	"github.com/catflap/catflap/proxy/attributes"
)

// SecretVariable is where the configuration takes the client's secret from.
const SecretVariable = "KEYCLOAK_CLIENT_SECRET"

// Options say what the settings don't.
type Options struct {
	PublicURL string // what browsers see of Catflap
	CatURL    string
	// Issuer is Keycloak's realm as browsers and tokens name it; empty: as the plugin
	// reaches it.
	Issuer string
}

// Result is a configuration, and what its operator should know.
type Result struct {
	Config []byte
	Notes  []string
}

// ErrIssuer means that Options.Issuer is needed.
var ErrIssuer = errors.New("the plugin reaches Keycloak by plain http, which is no address that browsers and tokens name")

// conversion is one on its way.
type conversion struct {
	s     *settings
	o     Options
	out   bytes.Buffer
	notes []string
}

func (c *conversion) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

func (c *conversion) line(format string, args ...any) { fmt.Fprintf(&c.out, format+"\n", args...) }

// Convert makes a configuration of the settings. Its error and its notes hold no secret.
func Convert(data []byte, o Options) (*Result, error) {
	s, err := read(data)
	if err != nil {
		return nil, err
	}
	c := &conversion{s: s, o: o}
	for _, name := range s.unknown {
		c.note("%q is no setting of Catcloak's that is known here, and is not carried over", name)
	}
	if err := c.write(); err != nil {
		return nil, err
	}
	return &Result{c.out.Bytes(), c.notes}, nil
}

func (c *conversion) write() error {
	realm, err := realmURL(c.s)
	if err != nil {
		return err
	}
	c.line("# Made by `catflap import catcloak`. Read it, and the notes; then run `catflap check`.")
	c.line("version: 1")
	c.line("public_url: %s", quote(c.o.PublicURL))
	c.line("cat:")
	c.line("  url: %s", quote(c.o.CatURL))
	c.line("  api_key: {env: CCAT_API_KEY}")
	c.line("  api_key_ws: {env: CCAT_API_KEY_WS}")
	c.attributes()
	c.line("handlers:")
	c.line("  - name: keycloak")
	c.line("    type: oidc")
	if err := c.provider(realm); err != nil {
		return err
	}
	c.line("    client_id: %s", quote(c.s.ClientID))
	if c.s.ClientSecret != "" {
		c.line("    client_secret: {env: %s}", SecretVariable)
		c.note("set %s to the client_secret of the settings", SecretVariable)
	}
	c.line("    audiences: [%s]", quote(c.s.ClientID))
	c.note("tokens must be meant for %q (aud); Catcloak took each token of the realm. Give the clients of your front ends an audience mapper", c.s.ClientID)
	if err := c.person(); err != nil {
		return err
	}
	c.permissions()
	c.note("register %s as a redirect URI of %q at Keycloak, for people who sign in in a browser", c.o.PublicURL+"/_catflap/callback", c.s.ClientID)
	return nil
}

// realmURL is the realm as the plugin reaches it.
func realmURL(s *settings) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s.ServerURL, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("server_url is no address of a server")
	}
	return u.JoinPath("realms", url.PathEscape(s.Realm)), nil
}

// provider writes where Keycloak is.
func (c *conversion) provider(realm *url.URL) error {
	const discovery = "/.well-known/openid-configuration"
	plain := realm.Scheme == "http" && !loopback.Host(realm.Hostname())
	switch {
	case c.o.Issuer == "" && plain:
		return ErrIssuer
	case c.o.Issuer == "" || c.o.Issuer == realm.String():
		c.line("    issuer: %s", quote(realm.String()))
		return nil
	}
	c.line("    issuer: %s", quote(c.o.Issuer))
	c.line("    discovery_url: %s", quote(realm.String()+discovery))
	if plain {
		c.line("    insecure_discovery_url: true")
		c.note("Keycloak is asked by plain http: somebody who changes what passes there can sign in as anybody. Let it speak https, and remove insecure_discovery_url")
	}
	return nil
}

// person writes who somebody is: as the plugin named them to the Cat.
func (c *conversion) person() error {
	name, roles := c.path("name", "preferred_username"), c.path("roles", "realm_access.roles")
	for _, path := range []string{name, roles} {
		if strings.Contains(path, `\`) || slices.Contains(strings.Split(path, "."), "") {
			return fmt.Errorf("user_mapping: the path %q can't be carried over", path)
		}
	}
	c.line("    user_id: %s", quote(name))
	c.line(`    alias: ""`)
	if name == "email" {
		c.line("    email_case: keep")
		c.note("addresses count only where email_verified is true")
	}
	if name != "sub" {
		c.note("people keep the user ids that they had, and with them their memories: %s. A provider may give it to another person later, who then has those memories: docs/moving-from-catcloak.md", name)
	}
	c.line("    groups: %s", quote(roles))
	c.note("the claim %s must be in ID tokens, too, for people who sign in in a browser: Keycloak, as it comes, writes roles into access tokens alone", roles)
	return nil
}

func (c *conversion) path(of, usual string) string {
	if path := c.s.users[of]; path != "" {
		return path
	}
	return usual
}

// attributes has plugins told what the plugin gave them as extra.
func (c *conversion) attributes() {
	var claims []string
	for _, name := range slices.Sorted(maps.Keys(c.s.users)) {
		path := c.s.users[name]
		switch name {
		case "name", "roles":
			continue
		case "id":
			if path != "" {
				c.note("plugins that read cat.user_data.id (%s) find something else there: let them read cat.user_id", path)
			}
			continue
		}
		if reason := attributes.RefuseClaim(path); reason != "" || strings.Contains(path, `\`) {
			c.note("user_mapping of %q: the path %q can't be carried over", name, path)
			continue
		}
		c.note("plugins that read cat.user_data.extra.%s read attributes(cat)[%q]: docs/attributes.md", name, path)
		if !slices.Contains(claims, path) {
			claims = append(claims, path)
		}
	}
	if len(claims) > 0 {
		c.line("  attributes: {claims: %s}", flow(claims))
	}
}

func (c *conversion) permissions() {
	c.line("permissions:")
	if len(c.s.permissions) == 0 {
		c.line("  everyone: [base]")
		c.note("everybody with an account of the realm may chat, as with Catcloak's empty permission_mapping. Grant to a role instead where that is not meant")
		return
	}
	c.line("  everyone: []")
	all := c.grants()
	if len(all) == 0 {
		c.note("no role grants anything: nobody may do anything")
		return
	}
	c.line("  grants:")
	for _, g := range all {
		c.line("    - from: [keycloak]")
		c.line("      groups: [%s]", quote(g.role))
		c.line("      allow: %s", flow(g.allow))
	}
}

// quote writes a text as YAML reads it, on one line. JSON leaves control characters beyond
// ASCII as they are, of which YAML takes one for a line end.
func quote(text string) string {
	var b, out bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text can be written
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if unicode.IsControl(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
