package config_test

import (
	"testing"

	"github.com/catflap/catflap/config"
)

// An address may be written as people write it: it is kept as browsers send it.
func TestPublicURLIsKeptAsBrowsersWriteIt(t *testing.T) {
	for written, want := range map[string]string{
		"https://Chat.Example.com:443": "https://chat.example.com",
		"HTTP://LOCALHOST:08080":       "http://localhost:8080",
		"http://127.0.0.1:80":          "http://127.0.0.1",
		"https://[2001:DB8:0::1]:8443": "https://[2001:db8::1]:8443",
		"https://chat.example.com":     "https://chat.example.com",
	} {
		c, err := config.Parse("f", []byte("public_url: \""+written+"\"\n"+valid), "", known())
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if c.PublicURL != want {
			t.Errorf("%s is kept as %s, want %s", written, c.PublicURL, want)
		}
	}
}
