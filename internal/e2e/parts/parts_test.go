package parts

import (
	"errors"
	"os"
	"path/filepath"
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
