package keyset_test

import (
	"testing"

	"github.com/catflap/catflap/internal/keyset"
)

func TestCheckURL(t *testing.T) {
	for address, good := range map[string]bool{
		"https://idp.example.com/jwks":         true,
		"https://idp.example.com:8443/a?b=c":   true,
		"http://127.0.0.1:8080/jwks":           true,
		"http://127.9.9.9/jwks":                true,
		"http://[::1]:8080/jwks":               true,
		"http://localhost:8080/jwks":           true,
		"http://LOCALHOST:8080/jwks":           true,
		"http://[::ffff:127.0.0.1]/jwks":       true,
		"":                                     false,
		"jwks.json":                            false,
		"/jwks":                                false,
		"https:///jwks":                        false,
		"https:jwks":                           false,
		"http://idp.example.com/jwks":          false,
		"http://127.0.0.1.evil.example/jwks":   false,
		"http://localhost.evil.example/jwks":   false,
		"http://keys.localhost/jwks":           false,
		"http://192.168.0.1/jwks":              false,
		"http://0.0.0.0/jwks":                  false,
		"ftp://127.0.0.1/jwks":                 false,
		"file:///etc/jwks":                     false,
		"https://user:pw@idp.example.com/jwks": false,
		"https://user@idp.example.com/jwks":    false,
		"https://idp.example.com/jwks#x":       false,
		"https://idp.example.com/%zz":          false,
	} {
		if _, err := keyset.CheckURL(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}
