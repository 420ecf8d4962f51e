package inquiry

import (
	"slices"
	"strings"
	"testing"
)

// TestWhatAnOlderVersionHasSealed: what is open is asked about again after an upgrade.
func TestWhatAnOlderVersionHasSealed(t *testing.T) {
	secrets := [][]byte{[]byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 40))}
	s, err := newSealer(secrets, "label")
	if err != nil {
		t.Fatal(err)
	}
	const text = "W8V1Hw5PjTce1O2NrzHaDuhfRwo7WwyOjeli1wzruKq2eFxU3JFM2FT1BIiI2TNZLoo2XfRk7AsJspdTqbXlNpi90-TPDwo"
	if credential, permissions, err := s.open(text); err != nil || credential != "credential" || !slices.Equal(permissions, []string{"p"}) {
		t.Errorf("%q, %q, %v", credential, permissions, err)
	}
	other, err := newSealer(secrets, "another label")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.open(text); err == nil {
		t.Error("the evidence of another service opens")
	}
}

// TestSealed: that nothing is said of permissions is another answer than none.
func TestSealed(t *testing.T) {
	s, err := newSealer(nil, "label")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{nil, {}, {"a", "b"}} {
		text := s.seal("credential", want)
		credential, got, err := s.open(text)
		if err != nil || credential != "credential" || !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%v comes back as %v, %v", want, got, err)
		}
		for _, bad := range []string{"", text[1:], text + "A", "+" + text[1:], text + "\n"} {
			if _, _, err := s.open(bad); err == nil {
				t.Errorf("%q opens", bad)
			}
		}
	}
}
