package session

import (
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/base64url"
)

// TestWhatAnOlderVersionHasSealed: a store outlives a release, and for a while two are
// beside each other.
func TestWhatAnOlderVersionHasSealed(t *testing.T) {
	secrets := [][]byte{[]byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 40))}
	k, err := newKeyring(secrets)
	if err != nil {
		t.Fatal(err)
	}
	for purpose, sealed := range map[string]string{
		sealSession: "AYs7VGswaG86lmAVpcfR0y0PCC3YOSlMNdnleS5VYd1h1o2eWE7YdB30vQvWHnkITgU",
		sealTicket:  "AYs7VGswaG86ZZq_12RS0zN8rtlDEF6YOgKfSdLcSaTViX9WsICKxpXk_E2XaRgQYw",
		sealMark:    "AYs7VGswaG86Fdb6CNVFFHkCIxEoa7EMVc4ToaFILLzH-xN3fs7ZG81SRYBXDKXflQ",
		sealMessage: "AYs7VGswaG86k-tOkmCMeoQbSDFN1KGvtjVYxLCdnUetyg07Qku0fA0eWpHlGypX_Kk",
		sealAttempt: "AYs7VGswaG86X94_wNvQsBIi3Ldl-UfEE3XS3xDfXrd2UdP3ZME5YJ-vZ2kNWLNZyQ4",
		sealDenied:  "AYs7VGswaG86GiKn064Rw1vHBWmZde4eMvVBDiKP0QEOf20Nw4EA8OnHRihSPizwiQ",
	} {
		b, err := base64url.Decode(sealed)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := k.open(purpose, "place", b); err != nil || string(plain) != "plain "+purpose {
			t.Errorf("%s: %q, %v", purpose, plain, err)
		}
		if _, err := k.open(purpose, "elsewhere", b); err == nil {
			t.Errorf("%s opens elsewhere", purpose)
		}
		for _, other := range []string{sealSession, sealTicket, sealMark, sealMessage, sealAttempt, sealDenied} {
			if _, err := k.open(other, "place", b); (err == nil) != (other == purpose) {
				t.Errorf("%s for %s: %v", purpose, other, err)
			}
		}
		if !k.knows(b) {
			t.Errorf("%s: its key is not known", purpose)
		}
	}
	want := []string{"handle:Hrk4yvgiQSX6gnfR68BjpR4Pi0t6xO0ALnWNENZn6Jc", "handle:HbTudceuDnEJKc9yVsQABRenzUYcPIXwVrkBZbtNlzk"}
	if got := k.indexes("handle", "x", "y"); !slices.Equal(got, want) {
		t.Errorf("indexes are %v", got)
	}
	for i, want := range []string{"rKX4SU7TXfOkFlzy7AKyCYhlslFzE2KIrcn4PPM_Ees", "TOznkeID5svEbsvKJkBDPHWX1FCHHsm3yqVxw6oBaac"} {
		if got := text(mac(k.all()[i].display, "token", "x")); got != want {
			t.Errorf("a display token is signed %s by key %d", got, i)
		}
	}
}
