package oidc

import (
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// Config is a handler for one OpenID provider: people sign in there in the browser,
// and programs may send the provider's tokens. Several providers need a handler for
// each.
type Config struct {
	// The provider, exactly as its discovery document and its tokens name it: an https
	// address, or http on the loopback interface. The rest of what Catflap has to know
	// is fetched from there, below /.well-known/openid-configuration.
	Issuer string `yaml:"issuer" required:"true" example:"https://idp.example.com/realms/staff"`
	// Where Catflap asks for the discovery document, if it can't reach the provider by the
	// issuer's address, as in a container: the whole address. What the document has at
	// the issuer's origin is asked for there, too; browsers go to the issuer's.
	DiscoveryURL string `yaml:"discovery_url" example:"https://keycloak:8443/realms/staff/.well-known/openid-configuration"`
	// Let discovery_url be plain http on another machine. Somebody who changes what passes
	// there can sign in as anybody.
	InsecureDiscoveryURL bool `yaml:"insecure_discovery_url"`
	// The authorities that vouch for the provider's certificate, PEM, instead of the
	// system's.
	CAFile value.Path `yaml:"ca_file" example:"idp-ca.pem"`
	// The id under which Catflap is registered at the provider.
	ClientID string `yaml:"client_id" required:"true" example:"catflap"`
	// The secret of that registration. Without one Catflap is a public client, which
	// PKCE alone protects.
	ClientSecret value.Secret `yaml:"client_secret"`
	// How Catflap shows the secret to the provider: in the Authorization header (basic)
	// or in the form (post). Empty: basic, unless the provider knows only post.
	TokenAuth string `yaml:"token_auth" enum:",basic,post"`
	// What is asked for. openid must be among it. Add offline_access where the provider
	// gives a refresh token only then, and groups where it knows such a scope.
	Scopes []string `yaml:"scopes" default:"openid,profile,email"`
	// Further parameters of the way to the provider, such as resource, audience or
	// domain_hint. Of those of the protocol itself only prompt is among them: consent,
	// login, select_account, or several of them. Google gives somebody a refresh token
	// for a second time only with access_type: offline and prompt: consent.
	AuthorizeParams map[string]string `yaml:"authorize_params" example:"{audience: catflap}"`
	// What people read on the page where they choose how to sign in. The default is the
	// handler's name.
	Title string `yaml:"title" example:"Company account"`
	// The redirect URI to register at the provider: shared is one for all handlers;
	// own ends with the handler's name. Take own when two providers are registered of
	// which one does not name itself in its answers (RFC 9207), so that none can pass
	// for the other.
	Callback string `yaml:"callback" default:"shared" enum:"shared,own"`
	// Ask the userinfo endpoint too, at the login and at each renewal. It fills in what
	// the ID token does not have. For providers whose ID tokens hold only sub.
	UserInfo bool `yaml:"userinfo"`

	// Who the bearer access tokens of this provider must be meant for: one of these must
	// be in aud (RFC 8725 §3.9). Empty: bearer access tokens are not taken.
	Audiences []string `yaml:"audiences"`
	// The clients whose bearer access tokens are accepted, by azp and client_id, or by
	// Okta's cid or Entra ID's appid where there is neither. Empty: all of the provider's.
	Clients []string `yaml:"clients"`
	// Accept ID tokens as bearer tokens too. They must be meant for client_id, and made
	// for it where they have azp. Google's people have no other signed token, and Dex's
	// access tokens look like ID tokens.
	AcceptIDTokens bool `yaml:"accept_id_tokens"`
	// The clients that may come as themselves, with a token that names no person (the
	// client credentials grant). Empty: none.
	ServiceAccounts []string `yaml:"service_accounts"`

	// The signature algorithms that are accepted. The default is RS256, ES256 and EdDSA.
	// Also known: RS384, RS512, PS256, PS384, PS512, ES384, ES512. Ed25519 is EdDSA.
	Algorithms []string `yaml:"algorithms"`
	// The claim that names the person, which becomes the user id at the Cat. It must
	// never be given to somebody else, which of the usual claims only sub promises
	// (OpenID Connect Core §5.7). email counts only where email_verified is true. With
	// another claim than sub, the provider can end sessions by their sid alone.
	UserID string `yaml:"user_id" default:"sub"`
	// With user_id: email. keep: an address is a person as it is written, so another
	// spelling is another person. lower: A to Z are taken for a to z, so that it is the
	// same one. Changing it renames people. Empty is keep, and check warns.
	EmailCase string `yaml:"email_case" enum:",keep,lower"`
	// The claim with the name that people read. It decides nothing.
	UserName string `yaml:"user_name" default:"name"`
	// The claim with the person's groups or roles: an array of texts, such as groups,
	// realm_access.roles or https://example.com/roles; or a list of such claims. A dot
	// within a name inside of an object is written \. as in resource_access.my\.client.roles.
	Groups value.Names `yaml:"groups" example:"[groups, realm_access.roles]"`
	// What to make of groups that are one text. none: nothing, since a text where a
	// list is due grants nothing. space: the words of it. comma: what stands between the
	// commas. whole: all of it is one group.
	GroupsSeparator string `yaml:"groups_separator" default:"none" enum:"none,space,comma,whole"`
	// What to make of groups that are an object. none: nothing. keys: the names in it,
	// but for those behind which stands false, null, a number or nothing, as in Zitadel's
	// urn:zitadel:iam:org:project:roles.
	GroupsObject string `yaml:"groups_object" default:"none" enum:"none,keys"`
	// What to do with somebody who is in more groups than the provider writes into a
	// token (Entra ID says so by _claim_names or hasgroups). refuse: they can't come in,
	// and are told why. userinfo: the groups are asked for at the userinfo endpoint.
	// microsoft_graph: at Microsoft Graph, which names them by their ids; see docs/oidc.md.
	Overage string `yaml:"overage" default:"refuse" enum:"refuse,userinfo,microsoft_graph"`
	// With overage: microsoft_graph. Where Microsoft Graph is: https://graph.microsoft.us,
	// https://dod-graph.microsoft.us and https://microsoftgraph.chinacloudapi.cn in the
	// national clouds.
	GraphURL string `yaml:"graph_url" default:"https://graph.microsoft.com"`
	// How far the provider's clock may be from ours. At most 120s.
	Leeway value.Duration `yaml:"leeway" default:"30s"`
	// The longest life of a token that is accepted, from iat (or from now, without
	// it) to exp. It is also the longest time for which a login is believed without
	// asking the provider again.
	MaxLifetime value.Duration `yaml:"max_lifetime" default:"168h"`
	// Demand that the header of bearer tokens says typ: at+jwt, and that iat is there,
	// as RFC 9068 wants of access tokens. Empty: a missing typ and JWT will do as well.
	RequireTyp string `yaml:"require_typ" enum:",at+jwt"`
	// How the provider's keys are kept.
	Keys Keys `yaml:"keys"`
}

// Keys says how long the provider's keys are good.
type Keys struct {
	// The age at which the keys are fetched again. It is also how long a key that the
	// provider has withdrawn may still be accepted.
	Lifetime value.Duration `yaml:"lifetime" default:"10m"`
	// The least time between two fetches because a token names a key that is not known.
	// At least 60s.
	Cooldown value.Duration `yaml:"cooldown" default:"60s"`
	// How long the last keys are used while the provider can't be reached. After that
	// the handler is not ready, and its tokens get 503.
	StaleIfError value.Duration `yaml:"stale_if_error" default:"24h"`
}

// NewConfig returns a configuration with all defaults, which are the same that an
// absent field of the file has.
func NewConfig() *Config {
	return &Config{
		Scopes:          []string{"openid", "profile", "email"},
		Callback:        "shared",
		UserID:          "sub",
		UserName:        "name",
		GroupsSeparator: "none",
		GroupsObject:    "none",
		Overage:         "refuse",
		GraphURL:        usualGraph,
		Leeway:          value.Duration(30 * time.Second),
		MaxLifetime:     value.Duration(168 * time.Hour),
		Keys: Keys{
			Lifetime:     value.Duration(10 * time.Minute),
			Cooldown:     value.Duration(time.Minute),
			StaleIfError: value.Duration(24 * time.Hour),
		},
	}
}

// tokens is the part that package jwt knows. It is also what makes the same issuer
// and claim one source of identities, whichever of the two types reads them.
func (c *Config) tokens() *jwt.Config {
	j := jwt.NewConfig()
	j.Issuer, j.Audiences, j.Clients, j.AcceptIDTokens = c.Issuer, c.Audiences, c.Clients, c.AcceptIDTokens
	j.Algorithms, j.UserID, j.UserName = c.Algorithms, c.UserID, c.UserName
	j.EmailCase = c.EmailCase
	j.Groups, j.GroupsSeparator, j.GroupsObject = c.Groups, c.GroupsSeparator, c.GroupsObject
	j.Leeway, j.MaxLifetime, j.RequireTyp = c.Leeway, c.MaxLifetime, c.RequireTyp
	j.Keys = jwt.Keys{Lifetime: c.Keys.Lifetime, Cooldown: c.Keys.Cooldown, StaleIfError: c.Keys.StaleIfError}
	if j.Audiences == nil {
		j.Audiences = []string{} // none, where nil would be any
	}
	return j
}

// SignsIn reports that people sign in through this handler in a browser.
func (c *Config) SignsIn() bool { return true }

// SharesCallback reports that people come back from the provider to the address that
// all share.
func (c *Config) SharesCallback() bool { return c.Callback == "shared" }

// SignInTitle is what they read where they choose.
func (c *Config) SignInTitle() string { return c.Title }

// IdentitySource names whose user ids these are, as the type jwt does.
func (c *Config) IdentitySource() string { return c.tokens().IdentitySource() }

// Reach tells which tokens are decided here: ID tokens by client_id where they are
// taken, all others by audiences and clients.
func (c *Config) Reach() jwt.Reach {
	r := c.tokens().Reach()
	if c.AcceptIDTokens {
		r.ID = jwt.Scope{Audiences: []string{c.ClientID}, Takes: true, OwnClients: true}
	}
	return r
}

// HiddenBehind implements authhandlers.Reacher, for bearer tokens.
func (c *Config) HiddenBehind(earlier []any) int { return jwt.HiddenBehind(c, earlier) }

// Doubts implements authhandlers.Doubter.
func (c *Config) Doubts() error { return c.tokens().Doubts() }

// LongestLife is how long a token is accepted at most, whatever the clocks say.
func (c *Config) LongestLife() time.Duration { return c.MaxLifetime.Std() + 2*c.Leeway.Std() }

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return true }

// TakesAllBearers reports that tokens of other issuers are left to the handlers behind.
func (c *Config) TakesAllBearers() bool { return false }

// YieldsGroups reports whether people have groups by this handler.
func (c *Config) YieldsGroups() bool { return c.Groups != "" }

var (
	_ authhandlers.Config      = (*Config)(nil)
	_ authhandlers.BearerTaker = (*Config)(nil)
	_ authhandlers.Identifier  = (*Config)(nil)
	_ authhandlers.Reacher     = (*Config)(nil)
	_ authhandlers.Grouper     = (*Config)(nil)
	_ authhandlers.Lifetimer   = (*Config)(nil)
	_ authhandlers.SignIn      = (*Config)(nil)
	_ authhandlers.Inspector   = (*Config)(nil)
	_ authhandlers.Doubter     = (*Config)(nil)
)

// Events are the names of the events that a handler of this type counts.
func (c *Config) Events() []string {
	return append(c.tokens().Events(), "discovery_fetched", "discovery_failed", "discovery_changed")
}
