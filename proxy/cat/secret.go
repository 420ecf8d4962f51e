package cat

import "strings"

// IsDefaultSecret reports a key or a secret that is the Cat's own default, or that
// stands in its documentation as an example. It protects nothing.
func IsDefaultSecret(secret []byte) bool {
	switch strings.ToLower(string(secret)) {
	case defaultSecret, "meow", "meow_ws", "meow_jwt",
		"a-very-long-and-alphanumeric-secret", "another-very-long-and-alphanumeric-secret", "yet-another-very-long-and-alphanumeric-secret",
		"your-key-here", "your-secret-here", "changeme", "change-me", "password", "admin", "...":
		return true
	}
	return false
}
