package keyfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/keyfile"
)

func TestNewKey(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		k := keyfile.NewKey()
		id, err := keyfile.IDOf(k.Text)
		if err != nil || id != k.ID || k.Hash != keyfile.HashOf(k.Text) || seen[k.Text] || seen[k.ID] {
			t.Fatal(k.ID, id, err)
		}
		seen[k.Text], seen[k.ID] = true, true
		if !strings.HasPrefix(k.Text, "catflap_"+k.ID+"_") || strings.ToLower(k.Text) != k.Text {
			t.Error("the form of a key has changed, by which secret scanners find it")
		}
	}
}

// TestEachTypoIsSeen: no key with one character changed, lost, doubled or swapped has a
// checksum that fits.
func TestEachTypoIsSeen(t *testing.T) {
	k := keyfile.NewKey().Text
	for at := range k {
		for _, to := range []string{"", "a", "7", "A", "_", "é", k[at:at+1] + k[at:at+1]} {
			bad := k[:at] + to + k[at+1:]
			if _, err := keyfile.IDOf(bad); bad != k && err == nil {
				t.Errorf("character %d as %q: nothing was seen", at, to)
			} else if err != nil && strings.Contains(err.Error(), bad[len(bad)-20:]) {
				t.Errorf("the error shows the key: %v", err)
			}
		}
		if at > 0 && k[at] != k[at-1] {
			if _, err := keyfile.IDOf(k[:at-1] + k[at:at+1] + k[at-1:at] + k[at+1:]); err == nil {
				t.Errorf("characters %d and %d swapped: nothing was seen", at-1, at)
			}
		}
	}
}

const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// entry is one key of a file, with more lines.
func entry(lines ...string) string {
	return "version: 1\nkeys:\n  - id: abcdefgh\n    owner: ada\n    sha256: " + hash + "\n    " + strings.Join(lines, "\n    ") + "\n"
}

func TestParse(t *testing.T) {
	second := "\n  - {id: hgfedcba, owner: %, sha256: " + hash + ", acts_for: shop}"
	for _, c := range []struct {
		name, text string
		keys       int
		why        string // of an error
	}{
		{"empty", "", 0, ""},
		{"white space", " \n\n", 0, ""},
		{"a comment", "# nothing\n", 0, ""},
		{"no keys", "version: 1\nkeys: []\n", 0, ""},
		{"the least", entry(), 1, ""},
		{"all", entry("permissions: [base, \"MEMORY:READ\"]", "acts_for: shop", "from: [192.0.2.1, 10.0.0.0/8, \"::1\"]",
			"created: 2026-12-01T05:00:00Z", "expires: 2027-12-01T05:00:00+01:00", "revoked: 2026-12-02T05:00:00Z"), 1, ""},
		{"two keys of one alias", entry("acts_for: shop") + strings.ReplaceAll(second, "%", "ada"), 2, ""},
		{"one alias of two owners", entry("acts_for: shop") + strings.ReplaceAll(second, "%", "bo"), 0, "another owner"},
		{"one id twice", entry() + "  - {id: abcdefgh, owner: bo, sha256: " + hash + "}", 0, "another key"},
		{"no YAML", "{", 0, "line"},
		{"half a file", entry()[:40], 0, "line"},
		{"another version", "version: 2\nkeys: []\n", 0, "version"},
		{"no version", "keys: []\n", 0, "version"},
		{"an unknown field", entry("permision: [base]"), 0, "line"},
		{"an unknown field at the top", "version: 1\nkey: []\n", 0, "line"},
		{"a field twice", entry("owner: bo"), 0, "line"},
		{"a list", "[]", 0, "line"},
		{"a second document", entry() + "---\nversion: 1\n", 0, "second document"},
		{"an alias of YAML", "version: 1\nkeys: &a [*a]\n", 0, ""},
		{"a bad id", strings.Replace(entry(), "abcdefgh", "ABCDEFGH", 1), 0, "id"},
		{"a bad hash", strings.Replace(entry(), hash, hash[1:], 1), 0, "sha256"},
		{"no owner", strings.Replace(entry(), "ada", "''", 1), 0, "owner"},
		{"a bad alias", entry("acts_for: Shop"), 0, "acts_for"},
		{"a bad time", entry("expires: tomorrow"), 0, "expires"},
		{"a bad network", entry("from: [192.0.2.1/24]"), 0, "from"},
		{"control characters", strings.Replace(entry(), "ada", `"a\u0007"`, 1), 0, "owner"},
		{"no UTF-8", "version: 1 # \xff", 0, "UTF-8"},
	} {
		f, err := keyfile.Parse([]byte(c.text))
		switch {
		case c.name == "an alias of YAML":
			if err == nil {
				t.Error("an alias was read")
			}
		case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%s: %v, want %q", c.name, err, c.why)
		case c.why == "" && (err != nil || len(f.Keys) != c.keys):
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), hash[:16]) {
			t.Errorf("%s: the error shows the file: %v", c.name, err)
		}
	}
}

func TestPermissionsOfAKey(t *testing.T) {
	for line, want := range map[string]int{"created: ''": 1, "permissions: []": 0, "permissions: [base, admin]": 2} {
		f, err := keyfile.Parse([]byte(entry(line)))
		if err != nil || f.Keys[0].Permissions == nil || len(f.Keys[0].Permissions) != want {
			t.Errorf("%s: %v %v", line, f, err)
		}
	}
}

// TestConcurrentUpdates: of many writers at once none undoes another's change.
func TestConcurrentUpdates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			err := keyfile.Update(path, func(f *keyfile.File) error {
				k := keyfile.NewKey()
				f.Keys = append(f.Keys, keyfile.Entry{ID: k.ID, Hash: k.Hash, Owner: "ada", Created: time.Now()})
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f, err := keyfile.Read(path)
	if err != nil || len(f.Keys) != 12 {
		t.Errorf("%v %v", f, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUpdateKeepsWhatItMust(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "keys.yaml")
	add := func(f *keyfile.File) error {
		k := keyfile.NewKey()
		f.Keys = append(f.Keys, keyfile.Entry{ID: k.ID, Hash: k.Hash, Owner: "ada"})
		return nil
	}
	if err := keyfile.Update(path, add); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new file is %v %v, want 0600", info.Mode(), err)
	}
	before, _ := os.ReadFile(path)
	if err := keyfile.Update(path, func(*keyfile.File) error { return errors.New("no") }); err == nil {
		t.Error("the error is lost")
	}
	if err := keyfile.Update(path, func(f *keyfile.File) error { f.Keys[0].Owner = ""; return nil }); err == nil {
		t.Error("what nobody can read was written")
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a change that failed has changed the file")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Fatal(err)
	}
	if err := keyfile.Update(link, add); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keyfile.Update(path, add); err == nil {
		t.Error("a broken file was written over")
	}
}

func TestUses(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	at := time.Unix(1000, 0).UTC()
	known := func(id string) bool { return id != "gone" }
	for _, u := range []keyfile.Uses{{"a": at, "gone": at}, {"a": at.Add(-time.Hour), "b": at}, {"b": at.Add(time.Hour)}} {
		if err := u.Save(keys, known); err != nil {
			t.Fatal(err)
		}
	}
	got, err := keyfile.ReadUses(keys)
	if want := (keyfile.Uses{"a": at, "b": at.Add(time.Hour)}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	if err := os.WriteFile(keyfile.UsesPath(keys), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := keyfile.ReadUses(keys); err == nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	if err := (keyfile.Uses{"a": at}).Save(keys, known); err != nil {
		t.Errorf("what can't be read is replaced: %v", err)
	}
}
