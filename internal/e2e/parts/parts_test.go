package parts

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAStampIsForOnePin(t *testing.T) {
	dir := t.TempDir()
	if err := stamped(dir, "a"); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := finish(dir, "a", nil); err != nil {
		t.Fatal(err)
	}
	if err := stamped(dir, "a"); err != nil {
		t.Errorf("an installed part: %v", err)
	}
	if err := stamped(dir, "b"); !errors.Is(err, ErrMissing) {
		t.Errorf("a part of another pin: %v", err)
	}
}

func TestABrokenInstallationIsNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	if err := fresh(dir); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broke off")
	if err := finish(dir, "a", broken); !errors.Is(err, broken) {
		t.Errorf("finish: %v", err)
	}
	if err := stamped(dir, "a"); !errors.Is(err, ErrMissing) {
		t.Errorf("a broken installation: %v", err)
	}
	if err := fresh(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a fresh folder holds %v, %v", left, err)
	}
}

func TestOnePartIsBroughtOnce(t *testing.T) {
	brought := 0
	var said bytes.Buffer
	one := part{
		name: "one", what: "something", dir: filepath.Join(t.TempDir(), "deeper", "one"),
		stamp: func() (string, error) { return "a", nil },
		bring: func(b *bringing) error { brought++; return b.write("file", []byte("content")) },
	}
	for range 2 {
		if err := one.install(t.Context(), &said); err != nil {
			t.Fatal(err)
		}
	}
	if brought != 1 || one.have() != nil {
		t.Errorf("brought %d times, then %v", brought, one.have())
	}
	if !strings.Contains(said.String(), "parts: one: something, into ") {
		t.Errorf("said %q", &said)
	}
	one.stamp = func() (string, error) { return "b", nil }
	one.bring = func(b *bringing) error { return b.run("sh", "-c", "echo the reason; exit 3") }
	if err := one.install(t.Context(), &said); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("a failure: %v", err)
	}
	if err := one.have(); !errors.Is(err, ErrMissing) {
		t.Errorf("after a failure: %v", err)
	}
	one.own = func() string { return "/somewhere/one" }
	if err := one.install(t.Context(), &said); err != nil || one.have() != nil {
		t.Errorf("the machine's own: %v, %v", err, one.have())
	}
}

func TestNobodyAsksForAnUnknownPart(t *testing.T) {
	if err := In(t.TempDir()).Install(t.Context(), io.Discard, "rediss"); err == nil || !strings.Contains(err.Error(), "rediss") {
		t.Errorf("error %v", err)
	}
}

func TestPackagesFitOneReleaseOfDebian(t *testing.T) {
	for release, want := range map[string]bool{
		"NAME=x\nVERSION_ID=\"12\"\nID=debian\n": true,
		"VERSION_ID=\"13\"\nID=debian\n":         false,
		"VERSION_ID=\"12\"\nID=ubuntu\n":         false,
		"VERSION_ID=\"12\"\nID_LIKE=debian\n":    false,
		"":                                       false,
	} {
		if got := isDebian(release); got != want {
			t.Errorf("%q: %v", release, got)
		}
	}
}
