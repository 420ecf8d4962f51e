package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// maxNames bounds how many headers, and how many cookies, are shown.
const maxNames = 16

// Validate reports everything that is wrong, without a look at files, variables or the
// network.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	c.validateAddress(&p)
	c.validateSent(&p)
	c.validateSecret(&p)
	c.validateMembers(&p)
	inquiry.Times{Cache: c.Cache.Std(), Timeout: c.Timeout.Std(), Stale: c.StaleIfError.Std()}.Validate(&p, "10s")
	return p.Err()
}

func (c *Config) validateAddress(p *authhandlers.FieldErrors) {
	const hint = "the whole address, such as https://accounts.example.com/whoami"
	switch err := inquiry.CheckURL(c.URL, c.InsecureURL); {
	case c.URL == "":
		p.Add("url", "required", hint)
		return
	case err != nil:
		p.Add("url", err.Error(), hint+"; for plain http on another machine insecure_url has to be set")
	case c.InsecureURL && !strings.HasPrefix(strings.ToLower(c.URL), "http://"):
		p.Add("insecure_url", "given, and url is not plain http", "leave it out")
	}
	if c.Method != http.MethodGet && c.Method != http.MethodPost {
		p.Add("method", fmt.Sprintf("%q is not one of GET and POST", c.Method), "leave it out, or write GET or POST")
	}
	if c.CAFile != "" && !strings.HasPrefix(strings.ToLower(c.URL), "https://") {
		p.Add("ca_file", "given, and nothing is asked by https", "leave it out, or write https")
	}
}

func (c *Config) validateSent(p *authhandlers.FieldErrors) {
	if len(c.SendHeaders)+len(c.SendCookies) == 0 {
		p.Add("send_headers", "required", "name the headers by which the service knows people, or cookies in send_cookies")
	}
	names(p, "send_headers", c.SendHeaders, http.CanonicalHeaderKey, refuseHeader)
	names(p, "send_cookies", c.SendCookies, func(n string) string { return n }, refuseCookie)
}

// names reports names that are none, that stand there twice, or that are refused.
func names(p *authhandlers.FieldErrors, field string, list []string, same func(string) string, refuse func(string) (problem, hint string)) {
	if len(list) > maxNames {
		p.Add(field, fmt.Sprintf("more than %d names", maxNames), "name what the service knows people by, and nothing else")
	}
	for i, n := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		problem, hint := refuse(n)
		switch {
		case !token(n):
			p.Add(at, fmt.Sprintf("%q is no name", n), "write the name alone")
		case slices.ContainsFunc(list[:i], func(o string) bool { return same(o) == same(n) }):
			p.Add(at, fmt.Sprintf("%q is listed twice", n), "leave it out")
		case problem != "":
			p.Add(at, fmt.Sprintf("%q %s", n, problem), hint)
		}
	}
}

// refuseHeader says why a header is not shown: it is about the connection, or holds more
// than one credential.
func refuseHeader(name string) (problem, hint string) {
	n := strings.ToLower(name)
	switch strings.ReplaceAll(n, "-", "_") {
	case string(authhandlers.CarrierLegacyHeader):
		return "is a carrier of all bearer tokens", "name Authorization: the service is then shown the token, wherever a client puts it"
	case "user_id":
		return "is what clients call themselves at the Cat, and proves nothing", "name a header that says who somebody is"
	}
	switch n {
	case "cookie":
		return "holds all cookies, Catflap's own among them", "name single cookies in send_cookies"
	case "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive", "accept", "accept-encoding", "content-type", "via":
		return "belongs to the connection or to the question itself", "name a header that says who somebody is"
	}
	if strings.HasPrefix(n, "sec-") || strings.HasPrefix(n, "proxy-") || strings.HasPrefix(n, "x-forwarded-") || n == "forwarded" || n == "origin" {
		return "says where a request came from, not who somebody is", "name a header that says who somebody is"
	}
	return "", ""
}

// refuseCookie keeps Catflap's own sessions here.
func refuseCookie(name string) (problem, hint string) {
	if strings.Contains(strings.ToLower(name), "catflap") {
		return "is of Catflap's own cookies, which nobody else sees", "name the service's own cookie"
	}
	return "", ""
}

// token reports a token (RFC 9110 §5.6.2).
func token(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r) })
}

func (c *Config) validateSecret(p *authhandlers.FieldErrors) {
	switch {
	case c.Secret.IsZero():
		return
	case !token(c.SecretHeader):
		p.Add("secret_header", fmt.Sprintf("%q is no header's name", c.SecretHeader), "such as Authorization or X-Api-Key")
	case slices.ContainsFunc(c.SendHeaders, func(n string) bool { return strings.EqualFold(n, c.SecretHeader) }):
		p.Add("secret_header", "the header is one of send_headers", "name another header for the secret, such as X-Api-Key")
	case strings.EqualFold(c.SecretHeader, "cookie"):
		p.Add("secret_header", "the secret does not go into a cookie", "such as Authorization or X-Api-Key")
	}
	if err := c.Secret.Validate(); err != nil {
		p.Add("secret", err.Error(), "")
	}
}

func (c *Config) validateMembers(p *authhandlers.FieldErrors) {
	for _, f := range []struct{ field, path string }{
		{"user_id", c.UserID}, {"permissions", c.Permissions}, {"expires", c.Expires},
	} {
		if f.path == "" {
			continue
		}
		if _, err := strictjson.ParsePath(f.path); err != nil {
			p.Add(f.field, err.Error(), "a member's name, or a path such as user.id")
		}
	}
	joined, ok := c.claims().Validate().(interface{ Unwrap() []error })
	if !ok {
		return
	}
	for _, err := range joined.Unwrap() { // of what package jwt reads
		if f, ok := errors.AsType[*authhandlers.FieldError](err); ok && (f.Field == "user_name" || strings.HasPrefix(f.Field, "groups")) {
			*p = append(*p, err)
		}
	}
}

// Inspect reports files that can't be used. It asks no network.
func (c *Config) Inspect() error {
	if _, err := c.CAFile.Certificates(); err != nil {
		return &authhandlers.FieldError{Field: "ca_file", Problem: err.Error(), Hint: "the file is PEM; the path is relative to the folder of the configuration"}
	}
	return nil
}
