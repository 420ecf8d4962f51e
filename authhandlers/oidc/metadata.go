package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// metadata is what we read of a provider's discovery document (OpenID Connect
// Discovery §3).
type metadata struct {
	authorize, token, keys, userInfo, endSession string
	// namesItself: the provider puts iss into each of its answers (RFC 9207 §3).
	namesItself bool
	// postOnly: the token endpoint takes a secret in the form, and not in the header.
	postOnly bool
}

// wellKnown is where the document is (OpenID Connect Discovery §4).
func wellKnown(issuer string) string {
	return strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
}

// readMetadata reads and judges the document: it must be this issuer's, to the
// octet (§4.3), or another provider could lend us its keys; and no endpoint may be
// weaker protected than the issuer itself.
func readMetadata(issuer string, way *detour, o strictjson.Object) (*metadata, error) {
	m := &metadata{}
	v, _ := o.Get("issuer")
	if name, ok := v.Str(); !ok || name != issuer {
		return nil, fmt.Errorf("the document is that of issuer %s, which is not the configured one", jwt.Quote(name))
	}
	own, err := url.Parse(issuer)
	if err != nil {
		return nil, errors.New("the issuer is no URL")
	}
	for _, e := range []struct {
		name     string
		to       *string
		required bool
	}{
		{"authorization_endpoint", &m.authorize, true},
		{"token_endpoint", &m.token, true},
		{"jwks_uri", &m.keys, true},
		{"userinfo_endpoint", &m.userInfo, false},
		{"end_session_endpoint", &m.endSession, false},
	} {
		v, ok := o.Get(e.name)
		if !ok {
			if e.required {
				return nil, fmt.Errorf("%s is missing", e.name)
			}
			continue
		}
		if *e.to, ok = v.Str(); !ok {
			return nil, fmt.Errorf("%s is no text", e.name)
		}
		*e.to = way.public(*e.to)
		u, err := keyset.CheckURL(*e.to)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", e.name, err)
		case u.Scheme != "https" && own.Scheme == "https":
			return nil, fmt.Errorf("%s is not https, and the issuer is", e.name)
		}
	}
	v, _ = o.Get("authorization_response_iss_parameter_supported")
	m.namesItself, _ = v.Bool()
	v, _ = o.Get("token_endpoint_auth_methods_supported")
	methods, _ := v.Strings()
	m.postOnly = slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic")
	return m, nil
}
