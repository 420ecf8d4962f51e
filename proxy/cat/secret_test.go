package cat

import "testing"

func TestIsDefaultSecret(t *testing.T) {
	for secret, want := range map[string]bool{
		"secret": true, "meow": true, "meow_ws": true, "meow_jwt": true, "Secret": true,
		"a-very-long-and-alphanumeric-secret": true, "another-very-long-and-alphanumeric-secret": true, "yet-another-very-long-and-alphanumeric-secret": true,
		"": false, "secrets": false, "3f1c6f0a9e": false,
	} {
		if got := IsDefaultSecret([]byte(secret)); got != want {
			t.Errorf("%q: %v, want %v", secret, got, want)
		}
	}
}
