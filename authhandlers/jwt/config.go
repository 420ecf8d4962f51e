package jwt

import (
	"slices"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyset"
)

// Config is a handler for the signed tokens of one issuer. Tokens of several
// issuers need a handler for each.
type Config struct {
	// The issuer, exactly as the tokens' iss has it: an https address, http on the
	// loopback interface, or a name that is no web address, such as urn:example:idp.
	Issuer string `yaml:"issuer" required:"true"`
	// Who the tokens must be meant for: one of these must be in aud. Usually the name
	// that Catflap has at the issuer. Required, since without it each token that the
	// issuer has made for anybody would be accepted (RFC 8725 §3.9).
	Audiences []string `yaml:"audiences"`
	// Accept tokens that are meant for anybody else. Only for an issuer whose every
	// token is for this Cat, or together with clients.
	InsecureAnyAudience bool `yaml:"insecure_any_audience"`
	// The load balancer of AWS (ALB) that signs the tokens, by its ARN. The keys at
	// keys.pem_url are those of all load balancers of a region, anybody's: this one's name
	// must be in the token's header. It stands for audiences, which such tokens do not
	// have; clients are then compared with client of the header.
	Signer string `yaml:"signer" example:"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188"`
	// The signature algorithms that are accepted. The default is RS256, ES256 and
	// EdDSA, and HS256 with keys.secret. Also known: RS384, RS512, PS256, PS384,
	// PS512, ES384, ES512; with keys.secret HS384 and HS512. Ed25519 is EdDSA.
	Algorithms []string `yaml:"algorithms"`
	// Where the issuer's keys are.
	Keys Keys `yaml:"keys"`
	// Where the tokens come, if not in Authorization and the other usual carriers: then
	// they come from here alone. See docs/carriers.md.
	Carrier Carrier `yaml:"carrier"`
	// The claim that names the person, which becomes the user id at the Cat. It must
	// never be given to somebody else, which of the usual claims only sub promises
	// (OpenID Connect Core §5.7). email counts only where email_verified is true. A
	// path such as profile.id leads into an object; a claim whose very name has dots
	// is written as it is.
	UserID string `yaml:"user_id" default:"sub"`
	// With user_id: email. keep: an address is a person as it is written, so another
	// spelling is another person. lower: A to Z are taken for a to z, so that it is the
	// same one. Changing it renames people. Empty is keep, and check warns.
	EmailCase string `yaml:"email_case" enum:",keep,lower"`
	// The issuer of another handler whose people these are: one provider has two names,
	// such as the first and the second version of Entra ID's tokens. Who has the same
	// user_id at both is then one person, with one user id at the Cat, and a logout means
	// both. Each of the two issuers can name anybody of the other. user_id and alias
	// must be those of that handler. See docs/user-ids.md.
	SamePeopleAs string `yaml:"same_people_as" example:"https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"`
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
	// How far the issuer's clock may be from ours. At most 120s.
	Leeway value.Duration `yaml:"leeway" default:"30s"`
	// The longest life of a token that is accepted, from iat (or from now, without
	// it) to exp. A token that lives for years is a password.
	MaxLifetime value.Duration `yaml:"max_lifetime" default:"168h"`
	// Demand that the header says typ: at+jwt, and that iat is there, as RFC 9068
	// wants of access tokens. Empty: a missing typ and JWT will do as well.
	RequireTyp string `yaml:"require_typ" enum:",at+jwt"`
	// The clients whose tokens are accepted, by azp and client_id, or by Okta's cid or
	// Entra ID's appid where there is neither. Empty: all of the issuer's.
	Clients []string `yaml:"clients"`
	// Accept ID tokens too: those with nonce, at_hash or c_hash, with typ ID, or with
	// token_use id. They are meant for the client that the person signed in to, so
	// audiences must then be the ids of clients which may speak for their users here.
	AcceptIDTokens bool `yaml:"accept_id_tokens"`
}

// Keys says where the issuer's keys are: exactly one of jwks_file, jwks_url,
// pem_file, pem_url and secret.
type Keys struct {
	// A key set document (JWKS). It is read again when it changes.
	JWKSFile value.Path `yaml:"jwks_file"`
	// The address of the issuer's key set document: https, or http on the loopback
	// interface. It is fetched at the start and again in the background.
	JWKSURL string `yaml:"jwks_url"`
	// With jwks_url: the authorities that vouch for the certificate there, PEM, instead
	// of the system's.
	CAFile value.Path `yaml:"ca_file"`
	// Public keys or certificates, PEM, one of a kind. Read again when it changes.
	PEMFile value.Path `yaml:"pem_file"`
	// The address of the keys of AWS's load balancers, which has one PEM document for
	// each kid: https, with {kid} at its end. With signer.
	PEMURL string `yaml:"pem_url" example:"https://public-keys.auth.elb.eu-west-1.amazonaws.com/{kid}"`
	// A secret that is shared with the issuer, for HS256, HS384 and HS512: at least
	// 32, 48 or 64 bytes. Everybody who knows it can make tokens, so keys are better.
	Secret value.Secret `yaml:"secret"`
	// With jwks_url: the age at which the keys are fetched again. It is also how long
	// a key that the issuer has withdrawn may still be accepted.
	Lifetime value.Duration `yaml:"lifetime" default:"10m"`
	// With jwks_url: the least time between two fetches because a token names a key
	// that is not known. At least 60s.
	Cooldown value.Duration `yaml:"cooldown" default:"60s"`
	// With jwks_url: how long the last keys are used while the address can't be
	// reached. After that the handler is not ready, and its tokens get 503.
	StaleIfError value.Duration `yaml:"stale_if_error" default:"24h"`
}

// NewConfig returns a configuration with all defaults, which are the same that an
// absent field of the file has.
func NewConfig() *Config {
	return &Config{
		UserID:          "sub",
		UserName:        "name",
		GroupsSeparator: "none",
		GroupsObject:    "none",
		Leeway:          value.Duration(30 * time.Second),
		MaxLifetime:     value.Duration(168 * time.Hour),
		Keys: Keys{
			Lifetime:     value.Duration(10 * time.Minute),
			Cooldown:     value.Duration(time.Minute),
			StaleIfError: value.Duration(24 * time.Hour),
		},
	}
}

// IdentitySource names whose user ids these are: two handlers of one issuer that
// read one claim mean the same people.
func (c *Config) IdentitySource() string { return c.personIssuer() + " " + c.PersonClaim() }

// PersonClaim tells by which claim people are known, and how it is read.
func (c *Config) PersonClaim() string {
	if c.EmailCase == "lower" {
		return c.UserID + "/lower"
	}
	return c.UserID
}

// LongestLife is how long a token is accepted at most, whatever the clocks say.
func (c *Config) LongestLife() time.Duration { return c.MaxLifetime.Std() + 2*c.Leeway.Std() }

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return c.Carrier.isZero() }

// TakesAllBearers reports that tokens of other issuers are left to the handlers behind.
func (c *Config) TakesAllBearers() bool { return false }

// YieldsGroups reports whether people have groups by this handler.
func (c *Config) YieldsGroups() bool { return c.Groups != "" }

// Allowed are the algorithms that are accepted, by one name each.
func (c *Config) Allowed() []string {
	switch {
	case len(c.Algorithms) > 0:
		var l []string
		for _, a := range c.Algorithms {
			if a = keyset.Canonical(a); !slices.Contains(l, a) {
				l = append(l, a)
			}
		}
		return l
	case !c.Keys.Secret.IsZero():
		return []string{"HS256"}
	}
	return []string{"RS256", "ES256", "EdDSA"}
}

var (
	_ authhandlers.Config      = (*Config)(nil)
	_ authhandlers.BearerTaker = (*Config)(nil)
	_ authhandlers.Identifier  = (*Config)(nil)
	_ authhandlers.Reacher     = (*Config)(nil)
	_ authhandlers.Grouper     = (*Config)(nil)
	_ authhandlers.Lifetimer   = (*Config)(nil)
	_ authhandlers.Inspector   = (*Config)(nil)
	_ authhandlers.Doubter     = (*Config)(nil)
)

// Events are the names of the events that a handler of this type counts.
func (c *Config) Events() []string {
	return append(keyset.Events(), "cache_hit", "cache_hit_refused", "cache_miss", "signature_checked", "unknown_key")
}
