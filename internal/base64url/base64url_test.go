package base64url_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/catflap/catflap/internal/base64url"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		text        string
		raw, padded bool
	}{
		{"", true, true},
		{"AA", true, false},
		{"AA==", false, true},
		{"AAA", true, false},
		{"AAA=", false, true},
		{"AAAA", true, true},
		{"-_-_", true, true},
		{"+/+/", false, false},
		{"AB", false, false}, // spare bits
		{"AAB", false, false},
		{"AB==", false, false},
		{"A", false, false},
		{"AAAA\n", false, false},
		{"AA\r\nAA", false, false},
		{"\nAAAA", false, false},
		{"AA =", false, false},
		{"AAAA=", false, false},
		{"AAA A", false, false},
	} {
		if _, err := base64url.Decode(c.text); (err == nil) != c.raw {
			t.Errorf("%q: %v", c.text, err)
		}
		if _, err := base64url.DecodePadded(c.text); (err == nil) != c.padded {
			t.Errorf("%q with padding: %v", c.text, err)
		}
	}
}

// FuzzDecode holds that bytes have one text.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{"", "AA", "AA==", "AB", "AAA\n", "-_", "eyJhbGciOiJub25lIn0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := base64url.Decode(text); err == nil && base64url.Encode(b) != text {
			t.Errorf("%q has the bytes of %q", text, base64url.Encode(b))
		}
		if b, err := base64url.DecodePadded(text); err == nil && base64.URLEncoding.EncodeToString(b) != text {
			t.Errorf("%q has the bytes of another text", text)
		}
		if b, err := base64url.Decode(base64url.Encode([]byte(text))); err != nil || !bytes.Equal(b, []byte(text)) {
			t.Errorf("%q does not come back: %v", text, err)
		}
	})
}
