package config_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
)

// tokens is a handler type as the built-in ones are made: typed fields, defaults,
// every optional ability.
type tokens struct {
	Issuer             string         `yaml:"issuer" required:"true" example:"https://idp.example.com"`
	Audiences          []string       `yaml:"audiences" example:"[cat]"`
	Algorithms         []string       `yaml:"algorithms" default:"RS256,ES256" enum:"RS256,ES256,EdDSA,HS256"`
	Keys               keys           `yaml:"keys"`
	Carrier            carrier        `yaml:"carrier"`
	SamePeopleAs       string         `yaml:"same_people_as"`
	UserID             string         `yaml:"user_id" default:"sub"`
	Groups             string         `yaml:"groups"`
	Leeway             value.Duration `yaml:"leeway" default:"60s"`
	InsecureAnyhow     bool           `yaml:"insecure_anyhow" default:"false"`
	Refresh            *bool          `yaml:"refresh" default:"true"`
	internal, Untagged string         //nolint:unused // neither may stand in a file
}

type carrier struct {
	Header string `yaml:"header"`
	Cookie string `yaml:"cookie"`
}

type keys struct {
	JWKSFile value.Path   `yaml:"jwks_file"`
	JWKSURL  string       `yaml:"jwks_url"`
	PEMFile  value.Path   `yaml:"pem_file"`
	Secret   value.Secret `yaml:"secret"`
}

// misplaced is what a handler type reports, in the form of authhandlers.FieldError.
type misplaced struct{ field, problem, hint string }

func (e *misplaced) Error() string                        { return e.field + ": " + e.problem }
func (e *misplaced) Where() (field, problem, hint string) { return e.field, e.problem, e.hint }
func (c *tokens) PeopleOf() string                        { return c.SamePeopleAs }
func (c *tokens) IdentitySource() string {
	return cmp.Or(c.SamePeopleAs, c.Issuer) + " " + c.UserID
}
func (c *tokens) CarriedBy() (headers, cookies []string) {
	return said(c.Carrier.Header), said(c.Carrier.Cookie)
}

func said(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}
func (c *tokens) YieldsGroups() bool { return c.Groups != "" }

func (c *tokens) TakesBearers() bool    { return true }
func (c *tokens) TakesAllBearers() bool { return false }

// TakesAllCarried is what the header X-Whole is for.
func (c *tokens) TakesAllCarried() bool { return strings.EqualFold(c.Carrier.Header, "X-Whole") }

// leftovers is a handler type that takes each bearer token that reaches it.
type leftovers struct {
	URL string `yaml:"url"`
}

func (*leftovers) Validate() error       { return nil }
func (*leftovers) TakesBearers() bool    { return true }
func (*leftovers) TakesAllBearers() bool { return true }

// Doubts knows the claim of which two spellings are two people.
func (c *tokens) Doubts() error {
	if c.UserID != "email" {
		return nil
	}
	return errors.Join(&misplaced{"user_id", "two spellings are two people", "say which"})
}

// HiddenBehind goes by the issuer and the first audience.
func (c *tokens) HiddenBehind(earlier []any) int {
	return slices.IndexFunc(earlier, func(e any) bool {
		before, ok := e.(*tokens)
		return ok && before.Issuer == c.Issuer && before.UserID == c.UserID && slices.Equal(before.Audiences, c.Audiences) && slices.Equal(before.Algorithms, c.Algorithms)
	})
}

func (c *tokens) Validate() error {
	var errs []error
	if len(c.Audiences) == 0 {
		errs = append(errs, &misplaced{"audiences", "required", "name whom the tokens are for, such as [cat]"})
	}
	for i, a := range c.Audiences {
		if a == "*" {
			errs = append(errs, errors.Join(&misplaced{"audiences[" + string(rune('0'+i)) + "]", "no wildcard", "name it"}))
		}
	}
	if c.Keys == (keys{}) {
		errs = append(errs, &misplaced{"keys.jwks_url", "no keys are named", ""})
	}
	if c.Issuer == "broken" {
		errs = append(errs, errors.New("something else is wrong"))
	}
	return errors.Join(errs...)
}

func (c *tokens) Inspect() error {
	if c.Keys.Secret.IsZero() {
		return nil
	}
	if _, err := c.Keys.Secret.Read(); err != nil {
		return &misplaced{"keys.secret", err.Error(), "from the handler itself"}
	}
	return nil
}

// people is a handler type without any optional ability.
type people struct {
	source
	People []struct {
		Name string       `yaml:"name" required:"true"`
		Key  value.Secret `yaml:"key" required:"true"`
	} `yaml:"people"`
}

// source is embedded: its fields stand among the others.
type source struct {
	From               string `yaml:"from" default:"file" enum:"file,vault"`
	InsecurePlainTexts bool   `yaml:"insecure_plain_texts"`
}

func (*people) Validate() error { return nil }

// provider is a handler type through which people sign in in a browser, unless
// it is for bearer tokens only.
type provider struct {
	Issuer       string       `yaml:"issuer" required:"true"`
	ClientID     string       `yaml:"client_id" required:"true"`
	ClientSecret value.Secret `yaml:"client_secret"`
	Scopes       []string     `yaml:"scopes" default:"openid"`
	Audiences    []string     `yaml:"audiences"`
	Groups       string       `yaml:"groups"`
	Title        string       `yaml:"title"`
	Callback     string       `yaml:"callback" default:"shared"`
	Login        bool         `yaml:"login" default:"true"`
}

func (*provider) Validate() error          { return nil }
func (p *provider) IdentitySource() string { return p.Issuer + " sub" }
func (p *provider) YieldsGroups() bool     { return p.Groups != "" }
func (p *provider) SignsIn() bool          { return p.Login }
func (p *provider) SignInTitle() string    { return p.Title }

// guests is a handler type for people that nobody knows.
type guests struct {
	Places int `yaml:"places" default:"50"`
}

func (*guests) Validate() error      { return nil }
func (g *guests) TakesGuests() bool  { return true }
func (g *guests) YieldsGroups() bool { return false }

// catUsers is a handler type for the Cat's own users.
type catUsers struct {
	JWTSecret value.Secret `yaml:"jwt_secret" required:"true"`
}

func (*catUsers) Validate() error                                  { return nil }
func (*catUsers) IdentitySource() string                           { return "the Cat's own" }
func (*catUsers) BareIDs() bool                                    { return true }
func (*catUsers) YieldsGroups() bool                               { return false }
func (c *catUsers) CatSecret() (field string, secret value.Secret) { return "jwt_secret", c.JWTSecret }

func known() config.Known {
	k := config.Known{
		DefaultSecret: func(b []byte) bool {
			return string(b) == "meow" || string(b) == "secret" || string(b) == "meow_jwt" || strings.HasPrefix(string(b), "yet-another-very-long-and")
		},
		Handlers: config.HandlerTypes{
			"guests":  func() config.HandlerSettings { return new(guests) },
			"jwt":     func() config.HandlerSettings { return new(tokens) },
			"oidc":    func() config.HandlerSettings { return new(provider) },
			"rest":    func() config.HandlerSettings { return new(leftovers) },
			"people":  func() config.HandlerSettings { return new(people) },
			"cards":   func() config.HandlerSettings { return new(cards) },
			"edge":    func() config.HandlerSettings { return new(edge) },
			"catuser": func() config.HandlerSettings { return new(catUsers) },
		},
		Permissions: []string{"*"},
		RefuseAttribute: func(name string) string {
			if name == "sub" {
				return "is always there"
			}
			return ""
		},
		RefuseAnswerHeader: func(name string) string {
			if strings.EqualFold(name, "Refresh") {
				return "would have a browser do something for the whole site"
			}
			return ""
		},
		RefuseCarrierHeader: func(name string) string {
			if strings.EqualFold(name, "User-Agent") {
				return "always reaches the Cat, and can't hold a credential"
			}
			return ""
		},
		RefuseCarrierCookie: func(name string) string {
			if strings.Contains(name, " ") {
				return "is no cookie's name"
			}
			return ""
		},
		SameName: func(a, b string) bool {
			return strings.EqualFold(strings.ReplaceAll(a, "_", "-"), strings.ReplaceAll(b, "_", "-"))
		},
		RefuseRequestHeader: func(name string) string {
			switch {
			case strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" || name == "":
				return "is no header's name"
			case strings.Contains(strings.ToLower(name), "user"):
				return "could say who somebody is"
			}
			return ""
		},
		Base: []string{"STATUS:READ", "MEMORY:READ", "MEMORY:LIST", "CONVERSATION:WRITE", "CONVERSATION:READ", "STATIC:READ"},
	}
	for _, r := range []string{"STATUS", "MEMORY", "CONVERSATION", "SETTINGS", "LLM", "EMBEDDER", "AUTH_HANDLER", "USERS", "UPLOAD", "PLUGINS", "STATIC"} {
		for _, a := range []string{"WRITE", "EDIT", "LIST", "READ", "DELETE", "*"} {
			k.Permissions = append(k.Permissions, r+":"+a)
		}
	}
	k.Permissions = append(k.Permissions, "UPLOAD_WEB:WRITE")
	return k
}

// parse reads a configuration that must be valid.
func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("catflap.yaml", []byte(text), "", known())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// valid is a small configuration without a warning; tests add to its end.
const valid = `version: 1
cat:
  url: http://127.0.0.1:1865
  api_key: {env: CAT_KEY}
  api_key_ws: {env: CAT_KEY_WS}
handlers:
  - name: staff
    type: jwt
    issuer: https://idp.example.com
    audiences: [cat]
    keys: {jwks_file: staff.jwks.json}
    groups: groups
`
