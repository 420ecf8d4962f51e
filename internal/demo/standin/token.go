package standin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// tokenLife is how long a token of the Cat's own lives.
const tokenLife = 24 * time.Hour

// peek reports whether a credential is shaped like a JWT, and its claims. Nothing
// is verified.
func peek(token string) (map[string]any, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	if _, ok := segment(parts[0]); !ok {
		return nil, false
	}
	if _, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[2], "=")); err != nil {
		return nil, false
	}
	return segment(parts[1])
}

func segment(s string) (map[string]any, bool) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, false
	}
	v, err := decode(b)
	m, ok := v.(map[string]any)
	return m, err == nil && ok
}

// judge verifies a token: HS256 with the Cat's secret, not expired, not early, no
// audience, and a sub that is an account. The user is the token's username; the
// permissions are those that are stored for sub now.
func (c *Cat) judge(token string, claims map[string]any) (caller, bool) {
	head, _ := segment(token[:strings.IndexByte(token, '.')])
	cut := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(token[cut+1:], "="))
	if err != nil || head["alg"] != "HS256" || !hmac.Equal(signature, c.sum(token[:cut])) {
		return caller{}, false
	}
	now := float64(c.options.Now().UnixNano()) / 1e9
	for _, name := range []string{"exp", "nbf", "iat"} {
		v, ok := claims[name]
		if !ok {
			continue
		}
		n, ok := v.(json.Number)
		if !ok {
			return caller{}, false
		}
		at, err := n.Float64()
		if err != nil || name == "exp" && at <= now || name != "exp" && at > now {
			return caller{}, false
		}
	}
	switch aud := claims["aud"].(type) {
	case nil:
	case string:
		if aud != "" {
			return caller{}, false
		}
	default:
		return caller{}, false
	}
	sub, _ := claims["sub"].(string)
	name, ok := claims["username"].(string)
	account, found := c.accountByID(sub)
	if !ok || !found {
		return caller{}, false
	}
	return caller{name, account.Permissions}, true
}

// issue makes the token that a password buys.
func (c *Cat) issue(a Account) string {
	claims := object{
		{"sub", a.ID},
		{"username", a.Name},
		{"permissions", a.Permissions},
		{"exp", c.options.Now().Add(tokenLife).Unix()},
	}
	body, err := marshal(claims)
	if err != nil {
		return ""
	}
	enc := base64.RawURLEncoding
	unsigned := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(body)
	return unsigned + "." + enc.EncodeToString(c.sum(unsigned))
}

func (c *Cat) sum(s string) []byte {
	m := hmac.New(sha256.New, []byte(c.options.JWTSecret))
	m.Write([]byte(s))
	return m.Sum(nil)
}
