package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// maxHeaderName bounds the name of a header that an operator lets pass. No header
// that the Cat or a browser knows is longer.
const maxHeaderName = 64

// ownWord is in every name of Catflap's own.
const ownWord = "catflap"

// RefuseRequestHeader says why a header of this name is never passed on to the Cat,
// even if an operator lists it; empty means that it may be listed.
func RefuseRequestHeader(name string) (reason string) {
	if reason := badName(name); reason != "" {
		return reason
	}
	folded := fold(name)
	usual := http.CanonicalHeaderKey(strings.ReplaceAll(folded, "_", "-"))
	switch {
	case passes(usual, nil) && http.CanonicalHeaderKey(name) != usual:
		return "is another spelling of " + usual + ", which passes"
	case ofConnection(folded):
		return "belongs to the connection, which ends here"
	case strings.Contains(folded, "cookie"):
		return "holds credentials; cat.forward_cookies names single cookies"
	case folded == "origin":
		return "is judged here; the Cat's own idea of origins would stand beside it"
	case says(folded, requestWords(), requestParts()):
		return "could say who somebody is, what they may, or where they came from, which only Catflap tells the Cat"
	}
	return ""
}

// badName says what is wrong with the form of a header's name.
func badName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxHeaderName:
		return fmt.Sprintf("is longer than %d characters", maxHeaderName)
	case strings.ContainsFunc(name, func(r rune) bool { return !tokenChar(r) }) || strings.Contains(name, "*"):
		return "is no header's name"
	}
	return ""
}

// tokenChar reports a character of a token (RFC 9110 §5.6.2).
func tokenChar(r rune) bool {
	return r > ' ' && r < 0x7f && !strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
}

// readHeaders spells the operator's names as net/http does, and takes none that is
// never passed on.
func (o *Options) readHeaders() error {
	for _, list := range []struct {
		names  *[]string
		refuse func(string) string
	}{{&o.ForwardHeaders, RefuseRequestHeader}, {&o.AnswerHeaders, RefuseAnswerHeader}} {
		read := make([]string, 0, len(*list.names))
		for _, name := range *list.names {
			if reason := list.refuse(name); reason != "" {
				return fmt.Errorf("proxy: the header %q %s", name, reason)
			}
			read = append(read, http.CanonicalHeaderKey(name))
		}
		*list.names = read
	}
	return nil
}

// fold lower-cases a name and turns every character outside a-z and 0-9 into _,
// which is the loosest reading that a server is known to have.
func fold(name string) string {
	folded := []byte(name)
	for i, c := range folded {
		switch {
		case 'A' <= c && c <= 'Z':
			folded[i] = c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			folded[i] = '_'
		}
	}
	return string(folded)
}

// ofConnection reports a folded name that is about the connection or its framing.
func ofConnection(folded string) bool {
	switch folded {
	case "connection", "content_length", "early_data", "expect", "host", "http2_settings", "keep_alive", "max_forwards", "te", "trailer",
		"transfer_encoding", "upgrade", "via", "alt_svc", "alt_used":
		return true
	}
	return strings.HasPrefix(folded, "proxy_") || strings.HasPrefix(folded, "sec_websocket_")
}

// says reports a folded name that has one of the words, or one of the parts in
// whatever it is glued to.
func says(folded string, words, parts []string) bool {
	if cat.Carries(folded) {
		return true
	}
	for word := range strings.SplitSeq(folded, "_") {
		if slices.Contains(words, word) {
			return true
		}
	}
	plain := strings.ReplaceAll(folded, "_", "")
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(plain, part) })
}

// requestWords are whole words that a header of identity, right or origin has.
func requestWords() []string {
	return []string{
		"access", "acl", "actor", "addr", "address", "admin", "agent", "as", "aud", "author", "caller", "cert", "cf", "cn", "dn", "eppn", "from", "gid", "grants",
		"gss", "host", "hostname", "https", "iap", "ident", "internal", "invoker", "ip", "iss", "jwe", "jwk", "jwks", "jws", "key", "keys", "manager", "method",
		"mfa", "moderator", "mtls", "nick", "ntlm", "oid", "okta", "org", "otp", "pass", "peer", "perms", "pin", "profile", "proto", "psk", "pw", "pwd", "realm",
		"requester", "requestor", "rights", "root", "scheme", "scope", "scopes", "sender", "sess", "sid", "ssid", "ssl", "sso", "staff", "sub", "sudo",
		"team", "teams", "ticket", "tls", "trust", "uid", "uname", "upn", "uuid", "verified", "who", "whois",
	}
}

// requestParts are looked for in a name without its separators.
func requestParts() []string {
	return []string{
		"account", "amzn", "apikey", "approv", "assertion", "auth", "azure", "baggage", "bearer", "behalf", "capabilit", "catflap", "ccat", "certif",
		"claim", "clearance", "client", "cloudfront", "cognito", "consumer", "credential", "customer", "delegat", "dpop", "email", "employee", "entitle",
		"envoy", "fingerprint", "forwarded", "goog", "group", "identi", "impersonat", "jwt", "kerberos", "keycloak", "ldap", "loggedin", "login", "logon",
		"macaroon", "mail", "mellon", "member", "methodoverride", "msisdn", "nameid", "nickname", "oidc", "openid", "operator", "organi", "original",
		"override", "owner", "passport", "passw", "permission", "person", "phone", "pomerium", "principal", "privilege", "realip", "remote", "rewrite",
		"role", "saml", "secret", "sessid", "session", "shib", "signedin", "signin", "sourceip", "spiffe", "subject", "tailscale", "tenant", "token",
		"trusted", "user", "viewer", "vouch", "webid", "whoami",
	}
}
