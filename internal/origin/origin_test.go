package origin

import (
	"errors"
	"net/url"
	"testing"
)

// The right sides are what new URL(...).origin is in a browser.
func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"https://chat.example.com":      "https://chat.example.com",
		"https://chat.example.com:443":  "https://chat.example.com",
		"https://chat.example.com:0443": "https://chat.example.com",
		"https://chat.example.com:80":   "https://chat.example.com:80",
		"http://chat.example.com:80":    "http://chat.example.com",
		"http://chat.example.com:08080": "http://chat.example.com:8080",
		"HTTPS://Chat.EXAMPLE.com":      "https://chat.example.com",
		"http://LOCALHOST:8080":         "http://localhost:8080",
		"https://chat.example.com.":     "https://chat.example.com.",
		"https://xn--ct-via.example":    "https://xn--ct-via.example",
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080",
		"http://[0:0::1]:8080":          "http://[::1]:8080",
		"http://[2001:DB8::A]":          "http://[2001:db8::a]",
		"http://[::ffff:127.0.0.1]":     "http://[::ffff:7f00:1]",
		"https://1.example":             "https://1.example",
		"https://0xfg":                  "https://0xfg",
		"chrome-extension://abcdef":     "chrome-extension://abcdef",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Of(u); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestOfOthers(t *testing.T) {
	for text, want := range map[string]error{
		"https://cät.example":       ErrNotASCII,
		"https://c%C3%A4t.example":  ErrNotASCII,
		"https://chat。example":      ErrNotASCII,
		"http://127.1:8080":         ErrNoIPv4,
		"http://127.0.0.1.:8080":    ErrNoIPv4,
		"http://0x7f.0.0.1":         ErrNoIPv4,
		"http://2130706433":         ErrNoIPv4,
		"http://0x7f000001":         ErrNoIPv4,
		"http://0x":                 ErrNoIPv4,
		"http://example.1":          ErrNoIPv4,
		"http://[fe80::1%25eth0]":   ErrNoIPv6,
		"http://127.000.000.001:80": ErrNoIPv4,
	} {
		u, err := url.Parse(text)
		if err != nil {
			continue // then it is no URL at all
		}
		if got, err := Of(u); want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %s, %v; want %v", text, got, err, want)
		}
	}
}
