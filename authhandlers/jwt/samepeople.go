package jwt

import (
	"cmp"
	"regexp"

	"github.com/catflap/catflap/authhandlers"
)

// entra are the names that one tenant of Entra ID has in the two versions of its tokens,
// in the public cloud and in the national ones.
var entra = regexp.MustCompile(`\Ahttps://(?:sts\.windows\.net|login\.microsoftonline\.com|sts\.microsoftonline\.us|login\.microsoftonline\.us|sts\.chinacloudapi\.cn|login\.partner\.microsoftonline\.cn)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?:v2\.0)?\z`)

// tenant is the tenant of Entra ID that an issuer is, or "".
func tenant(issuer string) string {
	if m := entra.FindStringSubmatch(issuer); m != nil {
		return m[1]
	}
	return ""
}

// personIssuer is whose people the handler's are.
func (c *Config) personIssuer() string { return cmp.Or(c.SamePeopleAs, c.Issuer) }

// PeopleOf implements authhandlers.Borrower.
func (c *Config) PeopleOf() string { return c.SamePeopleAs }

// validateSamePeople refuses a claim that may be two people's, or differ for one.
func (c *Config) validateSamePeople(p *authhandlers.FieldErrors) {
	if c.SamePeopleAs == "" {
		return
	}
	own, other := tenant(c.Issuer), tenant(c.SamePeopleAs)
	switch {
	case c.SamePeopleAs == c.Issuer:
		p.Add("same_people_as", "it is the handler's own issuer", "leave it out: handlers of one issuer have the same people")
	case own != other:
		p.Add("same_people_as", "the two issuers are not those of one tenant of Entra ID", "leave it out, and give the handler an alias of its own")
	case own != "" && c.UserID != "oid":
		p.Add("user_id", "with same_people_as, the two versions of Entra ID's tokens have only oid in common", "write user_id: oid in both handlers; people get new user ids by it")
	case c.UserID == "email":
		p.Add("user_id", "with same_people_as, an address may be somebody else's at the other issuer", "name a claim by which the provider itself knows people")
	}
}

var _ authhandlers.Borrower = (*Config)(nil)
