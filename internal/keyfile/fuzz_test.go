package keyfile_test

import (
	"reflect"
	"testing"

	"github.com/catflap/catflap/internal/keyfile"
)

// FuzzParse: what is read can be written, and is the same when it is read again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "version: 1\nkeys: []\n", entry(), entry("acts_for: shop", "from: [10.0.0.0/8]", "expires: 2027-01-01T00:00:00Z"), "{", "a: &a [*a]", entry("permissions: [12, ~, true]")} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := keyfile.Parse(content)
		if err != nil {
			return
		}
		written, err := file.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := keyfile.Parse(written)
		if err != nil || len(file.Keys) != len(again.Keys) || len(file.Keys) > 0 && !reflect.DeepEqual(file, again) {
			t.Errorf("%v\n%+v\n%+v", err, file, again)
		}
	})
}

// FuzzIDOf: of two texts of one key only one is a key.
func FuzzIDOf(f *testing.F) {
	for range 3 {
		f.Add(keyfile.NewKey().Text)
	}
	f.Add("catflap_")
	f.Fuzz(func(t *testing.T, key string) {
		id, err := keyfile.IDOf(key)
		if err == nil && (!keyfile.IsID(id) || len(key) != len(keyfile.NewKey().Text)) {
			t.Errorf("%q of %q", id, key)
		}
	})
}
