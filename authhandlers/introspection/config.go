package introspection

import (
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/inquiry"
)

// Config is a handler for the opaque tokens of one issuer, which is asked about each of
// them (RFC 7662). It takes what the handlers before it have left, so it stands behind all
// others that take bearer tokens.
type Config struct {
	// The introspection endpoint: an https address, or http on the loopback interface. The
	// provider's discovery document names it as introspection_endpoint.
	URL string `yaml:"url" required:"true" example:"https://idp.example.com/realms/staff/protocol/openid-connect/token/introspect"`
	// Let url be plain http on another machine. Somebody who sees what passes there has
	// everybody's tokens, and who changes it can come in as anybody.
	InsecureURL bool `yaml:"insecure_url"`
	// The issuer of the tokens, exactly as it names itself in iss. It is part of who the
	// people are. An answer with another iss is refused.
	Issuer string `yaml:"issuer" required:"true" example:"https://idp.example.com/realms/staff"`
	// The id under which Catflap is registered there.
	ClientID string `yaml:"client_id" required:"true" example:"catflap"`
	// The secret of that registration.
	ClientSecret value.Secret `yaml:"client_secret"`
	// How Catflap shows the secret: in the Authorization header (basic) or in the form
	// (post).
	TokenAuth string `yaml:"token_auth" default:"basic" enum:"basic,post"`
	// The authorities that vouch for the certificate at url, PEM, instead of the system's.
	CAFile value.Path `yaml:"ca_file" example:"idp-ca.pem"`

	// Who the tokens must be meant for: one of these must be in aud. A token without aud is
	// meant for the client that it was given to, if that is client_id, and for nobody else.
	// One of audiences and clients is needed, or each token that the issuer has given to
	// anybody would be accepted (RFC 8725 §3.9).
	Audiences []string `yaml:"audiences"`
	// The clients whose tokens are accepted: client_id must be one of them.
	Clients []string `yaml:"clients"`
	// Accept tokens that are meant for anybody else, and were given to any client. Only for
	// an issuer whose every token is for this Cat.
	InsecureAnyAudience bool `yaml:"insecure_any_audience"`
	// The scopes that a token must have, all of them.
	Scopes []string `yaml:"scopes"`
	// Demand that the answer says token_type: Bearer. Without it a token_type that is not
	// there will do, as from providers that leave it out. Where such a provider answers about
	// refresh tokens too, they would pass for access tokens.
	RequireTokenType bool `yaml:"require_token_type"`
	// Ask about signed tokens (JWT) of this issuer too, which no handler before this one has
	// taken. Without it they are left alone: type jwt verifies them without a question.
	AcceptJWTs bool `yaml:"accept_jwts"`

	// The member of the answer that names the person, which becomes the user id at the Cat.
	// It must never be given to somebody else, which only sub promises.
	UserID string `yaml:"user_id" default:"sub"`
	// With user_id: email. keep: an address is a person as it is written, so another
	// spelling is another person. lower: A to Z are taken for a to z, so that it is the
	// same one. Changing it renames people. Empty is keep, and check warns.
	EmailCase string `yaml:"email_case" enum:",keep,lower"`
	// The member with the name that people read. It decides nothing.
	UserName string `yaml:"user_name" default:"username"`
	// The member with the person's groups or roles: an array of texts. A path such as
	// realm_access.roles leads into an object.
	Groups value.Names `yaml:"groups" example:"[groups, realm_access.roles]"`
	// What to make of groups that are one text. none: nothing, since a text where a list is
	// due grants nothing. space: the words of it. comma: what stands between commas. whole: all
	// of it is one group.
	GroupsSeparator string `yaml:"groups_separator" default:"none" enum:"none,space,comma,whole"`
	// What to make of groups that are an object. none: nothing. keys: the names of its
	// members.
	GroupsObject string `yaml:"groups_object" default:"none" enum:"none,keys"`
	// How far the issuer's clock may be from ours. At most 120s.
	Leeway value.Duration `yaml:"leeway" default:"30s"`

	// How long an end of access at the issuer may go unnoticed, open sockets included: for so
	// long answers are used. At most 60s; 0s asks for each request.
	Cache value.Duration `yaml:"cache" default:"30s"`
	// How long one question may take.
	Timeout value.Duration `yaml:"timeout" default:"5s"`
	// How long people stay connected while the issuer can't be asked. New requests get 503
	// as soon as the last answer is too old. At most 1h.
	StaleIfError value.Duration `yaml:"stale_if_error" default:"5m"`
}

// NewConfig returns a configuration with all defaults, which are the same that an
// absent field of the file has.
func NewConfig() *Config {
	return &Config{
		TokenAuth: "basic", UserID: "sub", UserName: "username", GroupsSeparator: "none", GroupsObject: "none",
		Leeway: value.Duration(30 * time.Second), Cache: value.Duration(30 * time.Second), Timeout: value.Duration(5 * time.Second),
		StaleIfError: value.Duration(5 * time.Minute),
	}
}

// claims is the part that package jwt knows: how a person is read, and whose ids they are.
// It has no keys, since nothing is verified with any.
func (c *Config) claims() *jwt.Config {
	j := jwt.NewConfig()
	j.Issuer, j.UserID, j.UserName, j.EmailCase = c.Issuer, c.UserID, c.UserName, c.EmailCase
	j.Groups, j.GroupsSeparator, j.GroupsObject, j.Leeway = c.Groups, c.GroupsSeparator, c.GroupsObject, c.Leeway
	j.Audiences, j.Clients, j.InsecureAnyAudience = c.Audiences, c.Clients, len(c.Audiences) == 0
	return j
}

// IdentitySource names whose user ids these are, as the type jwt does.
func (c *Config) IdentitySource() string { return c.claims().IdentitySource() }

// YieldsGroups reports whether people have groups by this handler.
func (c *Config) YieldsGroups() bool { return c.Groups != "" }

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return true }

// TakesAllBearers reports that no bearer token is left to the handlers behind.
func (c *Config) TakesAllBearers() bool { return true }

// Doubts implements authhandlers.Doubter.
func (c *Config) Doubts() error { return c.claims().Doubts() }

// Events are the names of the events that a handler of this type counts.
func (c *Config) Events() []string { return inquiry.Events() }

var (
	_ authhandlers.Config      = (*Config)(nil)
	_ authhandlers.Identifier  = (*Config)(nil)
	_ authhandlers.Grouper     = (*Config)(nil)
	_ authhandlers.BearerTaker = (*Config)(nil)
	_ authhandlers.Inspector   = (*Config)(nil)
	_ authhandlers.Doubter     = (*Config)(nil)
)
