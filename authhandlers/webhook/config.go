package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/inquiry"
)

// Config is a handler that asks an HTTP service who a request is from.
type Config struct {
	// The address that is asked: https, or http on the loopback interface. Redirects are not
	// followed.
	URL string `yaml:"url" required:"true" example:"https://accounts.example.com/whoami"`
	// Let url be plain http on another machine. Somebody who sees what passes there has
	// everybody's credentials, and who changes it can come in as anybody.
	InsecureURL bool `yaml:"insecure_url"`
	// GET, or POST without a body.
	Method string `yaml:"method" default:"GET" enum:"GET,POST"`
	// The headers of the request that the service is shown, and the Cat never. With
	// Authorization the handler takes bearer tokens, wherever a client may put them, and it
	// takes each that reaches it. One of send_headers and send_cookies is needed.
	SendHeaders []string `yaml:"send_headers" example:"[X-Legacy-Session]"`
	// The cookies that the service is shown, by their names.
	SendCookies []string `yaml:"send_cookies" example:"[PHPSESSID]"`
	// What Catflap itself proves itself by to the service, so that it answers nobody else.
	Secret value.Secret `yaml:"secret"`
	// The header with the secret. In Authorization it stands as Bearer.
	SecretHeader string `yaml:"secret_header" default:"Authorization"`
	// The authorities that vouch for the certificate at url, PEM, instead of the system's.
	CAFile value.Path `yaml:"ca_file" example:"accounts-ca.pem"`

	// The member of the answer that names the person, which becomes the user id at the Cat: a
	// text, or a whole number. It must never be given to somebody else. Empty: user_id, or
	// sub where there is none.
	UserID string `yaml:"user_id"`
	// The member with the name that people read. It decides nothing.
	UserName string `yaml:"user_name" default:"name"`
	// The member with the person's groups or roles: an array of texts. Empty: none.
	Groups value.Names `yaml:"groups" example:"[groups, realm_access.roles]"`
	// What to make of groups that are one text. none: nothing. space: the words of it. comma:
	// what stands between commas. whole: all of it is one group.
	GroupsSeparator string `yaml:"groups_separator" default:"none" enum:"none,space,comma,whole"`
	// What to make of groups that are an object. none: nothing. keys: the names of its
	// members.
	GroupsObject string `yaml:"groups_object" default:"none" enum:"none,keys"`
	// The member with the person's permissions, an array of texts as in everyone: instead of
	// what everyone and the grants give. Empty: the service does not decide about rights.
	Permissions string `yaml:"permissions" example:"permissions"`
	// The member that says when the credential ends, in Unix seconds or as in RFC 3339. It
	// need not be there.
	Expires string `yaml:"expires" default:"expires"`

	// How long an end of access at the service may go unnoticed, open sockets included: for
	// so long answers are used, and shorter where their Cache-Control says so. At most 60s; 0s
	// asks for each request.
	Cache value.Duration `yaml:"cache" default:"10s"`
	// How long one question may take.
	Timeout value.Duration `yaml:"timeout" default:"5s"`
	// How long people stay connected while the service can't be asked. New requests get 503
	// as soon as the last answer is too old. At most 1h.
	StaleIfError value.Duration `yaml:"stale_if_error" default:"5m"`
}

// NewConfig returns a configuration with all defaults, which are the same that an
// absent field of the file has.
func NewConfig() *Config {
	return &Config{
		Method: "GET", SecretHeader: "Authorization", UserName: "name", GroupsSeparator: "none", GroupsObject: "none", Expires: "expires",
		Cache: value.Duration(10 * time.Second), Timeout: value.Duration(5 * time.Second), StaleIfError: value.Duration(5 * time.Minute),
	}
}

// issuer names the service as the one whose people these are. The query, which may hold a
// key and may choose among people, is there as a hash.
func (c *Config) issuer() string {
	address, query, ok := strings.Cut(c.URL, "?")
	if !ok {
		return address
	}
	sum := sha256.Sum256([]byte(query))
	return address + "?" + hex.EncodeToString(sum[:8])
}

// claims is the part that package jwt knows: how name and groups are read. The person is
// under sub there, wherever the answer has them.
func (c *Config) claims() *jwt.Config {
	j := jwt.NewConfig()
	j.Issuer, j.UserID, j.UserName, j.Groups, j.GroupsSeparator, j.GroupsObject = c.issuer(), "sub", c.UserName, c.Groups, c.GroupsSeparator, c.GroupsObject
	j.InsecureAnyAudience = true
	return j
}

// IdentitySource names whose user ids these are: those of one member of one service.
func (c *Config) IdentitySource() string { return "webhook " + c.issuer() + " " + c.UserID }

// YieldsGroups reports whether people have groups by this handler.
func (c *Config) YieldsGroups() bool { return c.Groups != "" }

// takesAuthorization reports that the service is shown Authorization.
func (c *Config) takesAuthorization() bool {
	return slices.ContainsFunc(c.SendHeaders, func(n string) bool { return strings.EqualFold(n, "Authorization") })
}

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return c.takesAuthorization() }

// TakesAllBearers reports that no bearer token is left to the handlers behind.
func (c *Config) TakesAllBearers() bool { return c.takesAuthorization() }

// CarriedBy implements authhandlers.Carrying: it names what the handler reads in a request, so that it never reaches the Cat.
func (c *Config) CarriedBy() (headers, cookies []string) {
	for _, n := range c.SendHeaders {
		refused, _ := refuseHeader(n)                                // which Validate says
		if refused == "" && !strings.EqualFold(n, "Authorization") { // which never does anyhow
			headers = append(headers, n)
		}
	}
	return headers, c.SendCookies
}

// TakesAllCarried implements authhandlers.CarriedTaker: the service alone knows whose a value is.
func (c *Config) TakesAllCarried() bool { return true }

// Events are the names of the events that a handler of this type counts.
func (c *Config) Events() []string { return inquiry.Events() }

var (
	_ authhandlers.Config      = (*Config)(nil)
	_ authhandlers.Identifier  = (*Config)(nil)
	_ authhandlers.Grouper     = (*Config)(nil)
	_ authhandlers.BearerTaker = (*Config)(nil)
	_ authhandlers.Inspector   = (*Config)(nil)
	_ authhandlers.Carrying    = (*Config)(nil)

	_ authhandlers.CarriedTaker = (*Config)(nil)
)
