package jwt

import "github.com/catflap/catflap/internal/keyset/strictjson"

// maker is a claim that names the client for which a token was made.
type maker struct{ claim, id string }

// madeFor reads for which client a token was made: azp (OpenID Connect Core §2) and client_id
// (RFC 9068 §2.2), both if both are there. Where neither is, Okta says it by cid and
// Entra ID, in its first version, by appid.
func madeFor(claims strictjson.Object) ([]maker, error) {
	var all []maker
	for _, name := range []string{"azp", "client_id"} {
		v, ok := claims.Get(name)
		if !ok {
			continue
		}
		id, ok := v.Str()
		if !ok {
			return nil, invalid(name + " is no string")
		}
		all = append(all, maker{name, id})
	}
	for _, name := range []string{"cid", "appid"} {
		if len(all) > 0 {
			break
		}
		v, _ := claims.Get(name)
		if id, ok := v.Str(); ok {
			all = append(all, maker{name, id})
		}
	}
	return all, nil
}

// Client is the client for which a token was made, or "" where none is named.
func Client(claims strictjson.Object) string {
	made, _ := madeFor(claims)
	for _, m := range made {
		if m.id != "" {
			return m.id
		}
	}
	return ""
}
