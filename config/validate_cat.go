package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/catflap/catflap/config/value"
)

func (v *validator) cat() {
	c := &v.c.Cat
	v.catAddresses(c)
	if c.CAFile != "" && !slices.ContainsFunc(c.Addresses(), func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "https://") }) {
		v.bad("cat.ca_file", "given, and no address of the Cat is https", "leave it out, or write https")
	}
	if c.Contract == "v2" {
		v.bad("cat.contract", "v2 is not supported yet", "write contract: v1, in front of a Cat 1.x")
	}
	switch c.Credential {
	case "api_key":
		v.catKeys(c)
	case "minted":
		v.catAccounts(c)
	}
	v.positive("cat.connect_timeout", c.ConnectTimeout)
	v.positive("cat.response_timeout", c.ResponseTimeout)
	between(v, "cat.max_turns", c.MaxTurns, 0, maxCount)
	if c.MaxTurns > 0 && v.c.WebSocket.Session == "separate" {
		v.bad("cat.max_turns", "can't be held with websocket.session: separate", "remove it, or write session: shared")
	}
	for i, name := range c.ForwardCookies {
		if !cookieName.MatchString(name) {
			v.bad(item("cat.forward_cookies", i), quote(name)+" is no cookie's name", "write the name alone; wildcards are not supported")
		}
	}
	v.headers("cat.forward_headers", c.ForwardHeaders, v.known.RefuseRequestHeader)
	v.headers("cat.answer_headers", c.AnswerHeaders, v.known.RefuseAnswerHeader)
	v.attributes(c.Attributes)
}

// headers verifies names of headers that are let pass.
func (v *validator) headers(field string, names []string, refuse func(string) string) {
	first := map[string]int{}
	for i, name := range names {
		at := item(field, i)
		if reason := refuse(name); reason != "" {
			v.bad(at, quote(name)+" "+reason, "remove it, or let the plugin use another name")
			continue
		}
		j, twice := first[strings.ToLower(name)]
		if twice {
			v.bad(at, quote(name)+" stands at "+item(field, j)+" already", "remove one")
			continue
		}
		first[strings.ToLower(name)] = i
	}
}

// catAddresses wants one address, or a list of different ones.
func (v *validator) catAddresses(c *Cat) {
	const bare = "write scheme, host and port only, such as http://127.0.0.1:1865"
	one, several := v.c.places.has("cat.url"), v.c.places.has("cat.urls")
	switch {
	case one && several:
		v.bad("cat.urls", "stands beside cat.url", "write url for one Cat, or urls for several")
	case several && len(c.URLs) == 0:
		v.bad("cat.urls", "is empty", "list each Cat's address")
	case !several && c.URL == "":
		v.bad("cat.url", "required", "write for example url: http://127.0.0.1:1865")
	case !several:
		if problem := bareURL(c.URL, "http", "https"); problem != "" {
			v.bad("cat.url", problem, bare)
		}
	}
	if c.Failover == "next" && !several {
		v.bad("cat.failover", "has no effect with cat.url", "remove it, or write urls")
	}
	first := map[string]int{}
	for i, text := range c.URLs {
		field := item("cat.urls", i)
		if problem := bareURL(text, "http", "https"); problem != "" {
			v.bad(field, problem, bare)
			continue
		}
		name := sameAddress(text)
		if j, twice := first[name]; twice {
			v.bad(field, "is the same Cat as "+item("cat.urls", j), "remove one")
			continue
		}
		first[name] = i
	}
}

// sameAddress is the host and the port, equal for two spellings of one address.
func sameAddress(text string) string {
	scheme, host, _ := strings.Cut(strings.ToLower(text), "://")
	if u, err := url.Parse(text); err == nil && u.Port() == "" {
		host += map[string]string{"http": ":80", "https": ":443"}[scheme]
	}
	return host
}

// cookieName is a token (RFC 6265 §4.1.1) without *, which would look like a wildcard.
var cookieName = regexp.MustCompile("\\A[!#$%&'+.^_`|~0-9A-Za-z-]+\\z")

func (v *validator) catKeys(c *Cat) {
	if !c.JWTSecret.IsZero() || len(c.ServiceAccounts) > 0 {
		v.catTokens(c)
	}
	if c.InsecureOpenCat {
		return
	}
	v.neededSecret("cat.api_key", c.APIKey, "write api_key: {env: NAME} with the variable that holds the Cat's CCAT_API_KEY")
	v.neededSecret("cat.api_key_ws", c.APIKeyWS, "write api_key_ws: {env: NAME} with the variable that holds the Cat's CCAT_API_KEY_WS; without that key the Cat's chat is open")
}

func (v *validator) catAccounts(c *Cat) {
	const instead = "remove it, or write credential: api_key"
	v.misplacedSecret("cat.api_key", c.APIKey, instead)
	v.misplacedSecret("cat.api_key_ws", c.APIKeyWS, instead)
	v.catTokens(c)
}

// catTokens is what minted tokens need; with the keys they are for what plugins act on.
func (v *validator) catTokens(c *Cat) {
	v.needed("cat.jwt_secret", c.JWTSecret, tokensBy(c, "cat.service_accounts"), "write jwt_secret: {env: NAME} with the variable that holds the Cat's CCAT_JWT_SECRET")
	if len(c.ServiceAccounts) == 0 {
		v.bad("cat.service_accounts", "required with "+tokensBy(c, "cat.jwt_secret"), "list at least one account, the one with the fewest permissions first")
	}
	for i, a := range c.ServiceAccounts {
		at := item("cat.service_accounts", i)
		for j, p := range a.Permissions {
			v.accountPermission(item(below(at, "permissions"), j), p)
		}
	}
}

// accountPermission verifies one of the Cat's own permissions.
func (v *validator) accountPermission(field, name string) {
	const web = "UPLOAD_WEB:"
	switch {
	case strings.HasPrefix(name, web):
		v.bad(field, "UPLOAD_WEB is Catflap's own; the Cat does not know it", "write UPLOAD:WRITE")
	case !slices.Contains(v.known.Permissions, name):
		v.bad(field, quote(name)+" is no permission of the Cat", permissionHint(name, v.known.Permissions, "RESOURCE:* or *"))
	}
}

// tokensBy says why minted tokens are to be made.
func tokensBy(c *Cat, beside string) string {
	if c.Credential == "minted" {
		return "credential: minted"
	}
	return beside
}

func (v *validator) neededSecret(field string, s value.Secret, hint string) {
	v.needed(field, s, "credential: "+v.c.Cat.Credential, hint)
}

func (v *validator) needed(field string, s value.Secret, with, hint string) {
	if s.IsZero() {
		v.bad(field, "required with "+with, hint)
	}
}

func (v *validator) misplacedSecret(field string, s value.Secret, hint string) {
	if !s.IsZero() {
		v.bad(field, "has no effect with credential: "+v.c.Cat.Credential, hint)
	}
}

func (v *validator) positive(field string, d value.Duration) {
	if d == 0 {
		v.bad(field, "must not be 0", "write for example 30s")
	}
}
