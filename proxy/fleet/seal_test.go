package fleet

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// TestWhatAnOlderVersionHasSealed: while a release is rolled out, two are beside each
// other, and have to find the same people.
func TestWhatAnOlderVersionHasSealed(t *testing.T) {
	secrets := [][]byte{[]byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 40))}
	k, err := newKeys(secrets)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.RawURLEncoding.DecodeString("vPBU76X3LueW7JjqS-kivwBuz48bd3zY4mLl-Di9LWvZ")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.open("to", sealed); err != nil || string(plain) != "plain" {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := k.open("another", sealed); err == nil {
		t.Error("another process opens it")
	}
	want := []string{"p:JOugTHG2e3pieXFp9FXeRi6WnIG6IglNOVmrNniFOo8", "p:uPw2GevJZtES8t4jWFlpAOT5rpwW5qFaLhUzJ9eKF-c"}
	if got := k.people("p:", "alice"); !slices.Equal(got, want) {
		t.Errorf("a person is %v", got)
	}
}

func TestNewKeys(t *testing.T) {
	for text, secrets := range map[string][][]byte{
		"fleet: no key": nil,
		"fleet: key 1 has 5 bytes; it needs at least 32": {[]byte(strings.Repeat("a", 32)), []byte("short")},
	} {
		if _, err := newKeys(secrets); err == nil || err.Error() != text {
			t.Errorf("%v, want %s", err, text)
		}
	}
}
