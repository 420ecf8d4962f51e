package keyset_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/keyset"
)

func TestFileIsReadAgain(t *testing.T) {
	clock := authtest.NewClock()
	path := filepath.Join(t.TempDir(), "keys.json")
	a, b := newKey(t, "a", "ES256"), newKey(t, "b", "ES256")
	replace := func(text []byte) { // as an editor or Kubernetes does: a new file under the old name
		t.Helper()
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Second)
	}
	replace(document(t, a.JWK()))
	var changed sync.Map
	s, err := keyset.OpenFile(path, keyset.Options{
		Algorithms: asymmetric(), Now: clock.Now, Observe: func(e string) { changed.Store(e, true) },
	})
	if err != nil {
		t.Fatal(err)
	}
	works := func(k *issuer.Key) bool {
		_, err := s.VerifySignature(t.Context(), token(k))
		return err == nil
	}
	key, err := first(s.Find(t.Context(), "a", "ES256"))
	if err != nil || !works(a) || works(b) {
		t.Fatalf("at first: %v", err)
	}
	generation := s.Generation()

	replace([]byte("half a fi"))
	if !works(a) || s.Generation() != generation || !key.Current() {
		t.Error("a bad file must change nothing")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	if !works(a) || s.Ready() != nil {
		t.Error("a missing file must change nothing")
	}
	replace(document(t, a.JWK(), b.JWK()))
	if !works(a) || !works(b) || s.Generation() == generation || !key.Current() {
		t.Error("an added key must work, and leave the other")
	}
	replace(document(t, b.JWK()))
	if works(a) || !works(b) || key.Current() {
		t.Error("a withdrawn key must be gone")
	}
	replace(document(t))
	if works(b) || s.Ready() == nil {
		t.Error("a set without keys must verify nothing and not be ready")
	}
	if _, ok := changed.Load("keys_changed"); !ok {
		t.Error("the change was not counted")
	}
}

func TestOpenFileRefuses(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, dir, filepath.Join(dir, "none")} {
		o := keyset.Options{Algorithms: asymmetric(), Now: authtest.NewClock().Now}
		if _, err := keyset.OpenFile(path, o); err == nil {
			t.Errorf("%s: opened as a key set", path)
		}
		if _, err := keyset.OpenPEM(path, o); err == nil {
			t.Errorf("%s: opened as PEM", path)
		}
	}
}
