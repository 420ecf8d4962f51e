package wsconn

import (
	"testing"
	"unicode/utf8"
)

// FuzzText compares with the library, cut in every two places.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "abc", "é日🐱", "\xff", "\xf0\x9f\x90", "\xed\xa0\x80", "\xc0\xaf", "a\xe6\x97"} {
		f.Add([]byte(seed), uint8(1), uint8(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, one, two uint8) {
		i := min(int(one), len(data))
		j := min(i+int(two), len(data))
		check := Text{On: true}
		got := check.Write(data[:i]) && check.Write(data[i:j]) && check.Write(data[j:]) && check.End()
		if got != utf8.Valid(data) {
			t.Fatalf("%q cut at %d and %d: %v", data, i, j, got)
		}
	})
}
