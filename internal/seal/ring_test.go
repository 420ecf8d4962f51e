package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/catflap/catflap/internal/seal"
)

// rings are both kinds, which keep the same promises.
func rings(t *testing.T) map[string]func(letters, use string) sealer {
	return map[string]func(letters, use string) sealer{
		"a ring": func(letters, use string) sealer {
			r, err := seal.NewRing(secrets(letters), use)
			if err != nil {
				t.Fatal(err)
			}
			return r
		},
		"a named ring": func(letters, use string) sealer {
			r, err := seal.NewNamed(secrets(letters), use, "test name")
			if err != nil {
				t.Fatal(err)
			}
			return r
		},
	}
}

type sealer interface {
	Seal(place, plain []byte) []byte
	Open(place, sealed []byte) ([]byte, bool)
}

func TestOpen(t *testing.T) {
	for kind, ring := range rings(t) {
		t.Run(kind, func(t *testing.T) {
			place, plain := []byte("place"), []byte("what nobody may read")
			of := ring("ab", "test").Seal(place, plain)
			if bytes.Contains(of, plain) {
				t.Fatal("it can be read")
			}
			if again := ring("ab", "test").Seal(place, plain); bytes.Equal(of, again) {
				t.Error("one text twice")
			}
			for _, c := range []struct {
				name         string
				letters, use string
				place        string
				want         bool
			}{
				{"the same ring", "ab", "test", "place", true},
				{"the key alone", "a", "test", "place", true},
				{"the key behind a newer one", "ca", "test", "place", true},
				{"the key is gone", "bc", "test", "place", false},
				{"another place", "ab", "test", "elsewhere", false},
				{"no place", "ab", "test", "", false},
				{"another use", "ab", "other", "place", false},
			} {
				got, ok := ring(c.letters, c.use).Open([]byte(c.place), of)
				if ok != c.want || ok && !bytes.Equal(got, plain) || !ok && got != nil {
					t.Errorf("%s: %q, %v", c.name, got, ok)
				}
			}
			r := ring("ab", "test")
			for i := range of {
				bent := bytes.Clone(of)
				bent[i] ^= 1
				if _, ok := r.Open(place, bent); ok {
					t.Errorf("byte %d is another, and it opens", i)
				}
				if _, ok := r.Open(place, of[:i]); ok {
					t.Errorf("%d bytes are enough", i)
				}
			}
			if _, ok := r.Open(place, append(bytes.Clone(of), 0)); ok {
				t.Error("one more byte is no matter")
			}
			if got, ok := r.Open(nil, r.Seal(nil, nil)); !ok || len(got) != 0 {
				t.Errorf("nothing is sealed as %q, %v", got, ok)
			}
		})
	}
}

func TestNewRing(t *testing.T) {
	if _, err := seal.NewRing(nil, "test"); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("without keys: %v", err)
	}
	if _, err := seal.NewRing([][]byte{[]byte("short")}, "test"); err == nil {
		t.Error("a short key is taken")
	}
}

func FuzzOpen(f *testing.F) {
	r, err := seal.NewRing(secrets("ab"), "test")
	if err != nil {
		f.Fatal(err)
	}
	n, err := seal.NewNamed(secrets("ab"), "test", "test name")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("place"), []byte(nil))
	f.Add([]byte("place"), r.Seal([]byte("other"), []byte("plain")))
	f.Add([]byte("place"), n.Seal([]byte("other"), []byte("plain")))
	f.Fuzz(func(t *testing.T, place, sealed []byte) {
		if string(place) == "other" {
			t.Skip("there the seeds open")
		}
		if _, ok := r.Open(place, sealed); ok {
			t.Error("what nobody has sealed opens")
		}
		if _, ok := n.Open(place, sealed); ok {
			t.Error("what nobody has sealed opens by its name")
		}
		n.Knows(sealed)
	})
}
