package jwt

import (
	"errors"
	"net/http"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// Carrier is where the tokens come, if a proxy in front puts them into a place of
// their own: exactly one of header and cookie. Any client can write there, too: the
// signature alone says who somebody is, as ever.
type Carrier struct {
	// The name of the request header, which holds the token and nothing else, such as
	// Cf-Access-Jwt-Assertion, X-Goog-IAP-JWT-Assertion or x-amzn-oidc-data.
	Header string `yaml:"header" example:"Cf-Access-Jwt-Assertion"`
	// The name of the cookie, such as CF_Authorization. The case of letters counts.
	Cookie string `yaml:"cookie" example:"CF_Authorization"`
}

// The ways in which a carrier can be wrong. The texts are told to the client.
var (
	errHeaderTwice = errors.New("a header that carries the token stands there more than once; send it once")
	errCookieTwice = errors.New("a cookie that carries the token stands there more than once; send it once")
)

func (c Carrier) isZero() bool { return c == Carrier{} }

// name is the carrier as the audit log has it.
func (c Carrier) name() authhandlers.Carrier {
	if c.Header != "" {
		return authhandlers.Carrier("header " + http.CanonicalHeaderKey(c.Header))
	}
	return authhandlers.Carrier("cookie " + c.Cookie)
}

// mark is what evidence of a token from the carrier begins with; nothing for the usual
// ones. No token has a line end.
func (c Carrier) mark() string {
	if c.isZero() {
		return ""
	}
	return string(c.name()) + "\n"
}

// unmark returns what evidence says of the token. That of a token which came in another
// carrier is for another handler of the issuer.
func (c Carrier) unmark(evidence string) (string, error) {
	rest, ok := strings.CutPrefix(evidence, c.mark())
	if !ok || strings.Contains(rest, "\n") {
		r := authhandlers.Reject(authhandlers.CodeUnclaimed, "sign in again", "the token came in another carrier than the handler's")
		r.Elsewhere = otherWay
		return "", r
	}
	return rest, nil
}

// read returns what the carrier holds; an empty one is absent.
func (c Carrier) read(h http.Header) (token string, err error) {
	if c.Header != "" {
		lines := h[http.CanonicalHeaderKey(c.Header)]
		switch len(lines) {
		case 0:
			return "", nil
		case 1:
			return lines[0], nil
		}
		return "", errHeaderTwice
	}
	found := false
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name != c.Cookie {
				continue
			}
			if found {
				return "", errCookieTwice
			}
			found, token = true, value
		}
	}
	return token, nil
}

// CarriedBy implements authhandlers.Carrying.
func (c *Config) CarriedBy() (headers, cookies []string) {
	if c.Carrier.Header != "" {
		headers = []string{c.Carrier.Header}
	}
	if c.Carrier.Cookie != "" {
		cookies = []string{c.Carrier.Cookie}
	}
	return headers, cookies
}

func (c *Config) validateCarrier(p *authhandlers.FieldErrors) {
	const hint = "leave carrier out: tokens are taken from there anyhow"
	switch k := c.Carrier; {
	case k.Header != "" && k.Cookie != "":
		p.Add("carrier", "both a header and a cookie", "name one of them; a second handler may take the other")
	case strings.EqualFold(k.Header, "Authorization"), strings.EqualFold(strings.ReplaceAll(k.Header, "-", "_"), string(authhandlers.CarrierLegacyHeader)):
		p.Add("carrier.header", "it is a carrier of all tokens", hint)
	case strings.Contains(strings.ToLower(k.Cookie), "catflap"):
		p.Add("carrier.cookie", "cookies of this name are Catflap's own", "have the token sent under a name of its own")
	}
}

// Presented implements authhandlers.Presenter.
func (h *handler) Presented(r *http.Request) (*authhandlers.Credential, error) {
	if h.carrier.isZero() {
		return nil, nil //nolint:nilnil // the handler has no carrier of its own
	}
	token, err := h.carrier.read(r.Header)
	if token == "" || err != nil {
		return nil, err
	}
	return &authhandlers.Credential{Scheme: "bearer", Value: token, Carrier: h.carrier.name()}, nil
}

// Ambient reports a carrier of the handler's own: browsers send cookies by themselves,
// and a proxy in front adds its header to whatever a browser sends, by a cookie of its own.
func (h *handler) Ambient(*authhandlers.Request) bool { return !h.carrier.isZero() }

// token returns what the handler judges: of its own carrier, if it has one, or else the
// request's credential.
func (h *handler) token(r *authhandlers.Request) (string, error) {
	if h.carrier.isZero() {
		if !r.Credential.Bearer() || !LooksSigned(r.Credential.Value) {
			return "", authhandlers.ErrNoCredential
		}
		return r.Credential.Value, nil
	}
	token, err := h.carrier.read(r.HTTP.Header)
	switch {
	case err != nil:
		return "", malformed(err)
	case token == "":
		return "", authhandlers.ErrNoCredential
	case !LooksSigned(token):
		return "", malformed(errors.New("the carrier holds no signed token"))
	}
	return token, nil
}

var (
	_ authhandlers.Presenter = (*handler)(nil)
	_ authhandlers.Ambient   = (*handler)(nil)
	_ authhandlers.Carrying  = (*Config)(nil)
)
