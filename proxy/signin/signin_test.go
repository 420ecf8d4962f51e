package signin

import "testing"

// TestNewNamesWhatIsMissing: all of it at once.
func TestNewNamesWhatIsMissing(t *testing.T) {
	const want = "signin.Options has no Chain, Log, Now, Own, Pages, Prefix, PublicURL, Sessions"
	if _, err := New(Options{}); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}
