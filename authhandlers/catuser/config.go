package catuser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyset"
)

// Issuer stands for the Cat's own list of users. No token names it.
const Issuer = "urn:cheshire-cat:users"

// Config is the handler for the Cat's own users, of which there is one at most. Their
// permissions are those that the Cat has stored.
type Config struct {
	// The Cat's CCAT_JWT_SECRET, with at least 32 bytes: it signs the tokens of the Cat's
	// own users. Who knows it can be any of them.
	JWTSecret value.Secret `yaml:"jwt_secret" required:"true"`
	// Let people sign in with their name and password at the Cat: in the browser, by the
	// Cat's form at /auth/login and by POST /auth/token. Else all of that stays closed, and
	// only tokens are accepted.
	Login bool `yaml:"login"`
	// The text that people read where they choose how to sign in. Empty: the handler's name.
	Title string `yaml:"title"`
	// The longest time that a token may still have to live. The Cat's CCAT_JWT_EXPIRE_MINUTES
	// must not be longer.
	MaxLifetime value.Duration `yaml:"max_lifetime" default:"168h"`
}

// NewConfig returns a configuration with all defaults.
func NewConfig() *Config { return &Config{MaxLifetime: value.Duration(168 * time.Hour)} }

// IdentitySource names whose user ids these are.
func (c *Config) IdentitySource() string { return Issuer + " username" }

// BareIDs reports that the ids are those which the Cat has always had, so that the
// alias is empty unless one is written.
func (c *Config) BareIDs() bool { return true }

// YieldsGroups reports that the Cat's users have none.
func (c *Config) YieldsGroups() bool { return false }

// TakesBearers reports that the Cat's tokens are bearer tokens.
func (c *Config) TakesBearers() bool { return true }

// TakesAllBearers reports that what is no token of the Cat's is left to others.
func (c *Config) TakesAllBearers() bool { return false }

// LongestLife is how long a token is accepted at most.
func (c *Config) LongestLife() time.Duration { return c.MaxLifetime.Std() }

// SignsIn reports whether people sign in here in a browser.
func (c *Config) SignsIn() bool { return c.Login }

// SignInTitle is what people read where they choose.
func (c *Config) SignInTitle() string { return c.Title }

// CatSecret is the secret that the Cat has too, and the field that names it.
func (c *Config) CatSecret() (field string, secret value.Secret) { return "jwt_secret", c.JWTSecret }

// Events are the names of the events that the handler counts.
func (c *Config) Events() []string {
	return []string{eventListed, eventNotListed, eventChanged, eventLogin, eventLoginRefused}
}

// Validate reports everything that is wrong, without a look at files, variables or the
// network.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	if c.JWTSecret.IsZero() {
		p.Add("jwt_secret", "required", "write jwt_secret: {env: NAME} with the variable that holds the Cat's secret for tokens")
	} else if err := c.JWTSecret.Validate(); err != nil {
		p.Add("jwt_secret", err.Error(), "")
	}
	if c.MaxLifetime <= 0 {
		p.Add("max_lifetime", "must be longer than 0s", "for example 168h")
	}
	return p.Err()
}

// Inspect reports a secret that can't be used.
func (c *Config) Inspect() error {
	_, err := c.secret()
	return err
}

func (c *Config) secret() ([]byte, error) {
	text, err := c.JWTSecret.Read()
	if err != nil {
		return nil, &authhandlers.FieldError{Field: "jwt_secret", Problem: err.Error()}
	}
	if least := keyset.LeastSecret(algorithm); len(text) < least {
		return nil, &authhandlers.FieldError{
			Field: "jwt_secret", Problem: fmt.Sprintf("it has %d bytes; %s needs %d (RFC 7518 §3.2)", len(text), algorithm, least),
			Hint: "make one with `openssl rand -hex 32`, and give it to the Cat too",
		}
	}
	return text, nil
}

// Open makes the handler. The Cat is asked when somebody comes.
func (c *Config) Open(ctx context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if env.CatUsers == nil {
		return nil, errors.New("the Cat's users can't be asked for")
	}
	shared, err := c.secret()
	if err != nil {
		return nil, err
	}
	keys, err := keyset.OpenSecret(shared, keyset.Options{Algorithms: []string{algorithm}, Now: env.Now})
	if err != nil {
		return nil, err
	}
	if env.Observe == nil {
		env.Observe = func(string) {}
	}
	h := &handler{keys: keys, now: env.Now, longest: c.MaxLifetime.Std(), roll: newRoll(ctx, env)}
	if !c.Login {
		return h, nil
	}
	title := c.Title
	if title == "" {
		title = env.Name
	}
	return &loginHandler{handler: h, title: title, cat: env.CatUsers, observe: env.Observe}, nil
}

var (
	_ authhandlers.Config     = (*Config)(nil)
	_ authhandlers.Identifier = (*Config)(nil)
	_ authhandlers.Grouper    = (*Config)(nil)
	_ authhandlers.SignIn     = (*Config)(nil)
	_ authhandlers.Lifetimer  = (*Config)(nil)

	_ authhandlers.BearerTaker = (*Config)(nil)
	_ authhandlers.Inspector   = (*Config)(nil)
)
