package seal_test

import (
	"errors"
	"testing"

	"github.com/catflap/catflap/internal/seal"
)

func TestKnows(t *testing.T) {
	named := func(letters, use string) *seal.Named {
		t.Helper()
		n, err := seal.NewNamed(secrets(letters), use, "test name")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	of := named("ab", "test").Seal(nil, []byte("plain"))
	for letters, want := range map[string]bool{"a": true, "ba": true, "b": false, "c": false} {
		if got := named(letters, "test").Knows(of); got != want {
			t.Errorf("%s: %v", letters, got)
		}
	}
	if !named("a", "other").Knows(of) {
		t.Error("rings of two uses do not share their names")
	}
	for n := range of[:9] {
		if named("a", "test").Knows(of[:n]) {
			t.Errorf("%d bytes name a key", n)
		}
	}
	if _, err := seal.NewNamed(nil, "test", "test name"); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("without keys: %v", err)
	}
}
