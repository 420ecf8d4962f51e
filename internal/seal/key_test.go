package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/seal"
)

// secrets are texts of 32 bytes, one of each letter.
func secrets(letters string) (list [][]byte) {
	for _, l := range letters {
		list = append(list, []byte(strings.Repeat(string(l), seal.MinKey)))
	}
	return list
}

func TestCheck(t *testing.T) {
	if err := seal.Check(nil); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("none: %v", err)
	}
	if err := seal.Check(secrets("ab")); err != nil {
		t.Error(err)
	}
	err := seal.Check(append(secrets("a"), []byte(strings.Repeat("b", seal.MinKey-1))))
	if err == nil || err.Error() != "key 1 has 31 bytes; it needs at least 32" {
		t.Errorf("a short one: %v", err)
	}
}

func TestDerive(t *testing.T) {
	derive := func(letter, use string, size int) []byte {
		t.Helper()
		key, err := seal.Derive(secrets(letter)[0], use, size)
		if err != nil || len(key) != size {
			t.Fatal(key, err)
		}
		return key
	}
	// What was derived by an older version: other processes, and what is stored, hang on it.
	if got := hex.EncodeToString(derive("a", "handler guests", 32)); got != "6c4f790b37992a6cd88b2eaf1d8adb8a8232c573cfcad1da9294aaeac7ad5416" {
		t.Errorf("the key is another one: %s", got)
	}
	one := derive("a", "one", 32)
	if bytes.Equal(one, derive("b", "one", 32)) || bytes.Equal(one, derive("a", "two", 32)) || bytes.Equal(one, secrets("a")[0]) {
		t.Error("two keys are the same")
	}
	if bytes.Equal(seal.Own(), seal.Own()) || len(seal.Own()) != seal.MinKey {
		t.Error("two processes have one key")
	}
}
