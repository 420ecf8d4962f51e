package apikey_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/apikey"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyfile"
)

// lab is a handler with its file.
type lab struct {
	t     *testing.T
	path  string
	clock *authtest.Clock
	h     authhandlers.AuthHandler
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, path: filepath.Join(t.TempDir(), "keys.yaml"), clock: authtest.NewClock()}
	l.open()
	return l
}

func (l *lab) open() {
	l.t.Helper()
	var err error
	if l.h, err = authhandlers.Open(l.t.Context(), &apikey.Config{KeysFile: value.Path(l.path)}, authtest.NewEnv(l.t, l.clock)); err != nil {
		l.t.Fatal(err)
	}
}

// add makes a key with the properties that set gives it.
func (l *lab) add(owner string, set func(*keyfile.Entry)) keyfile.Key {
	l.t.Helper()
	k := keyfile.NewKey()
	l.change(func(f *keyfile.File) {
		e := keyfile.Entry{ID: k.ID, Hash: k.Hash, Owner: owner, Permissions: []string{"base"}, Created: l.clock.Now()}
		if set != nil {
			set(&e)
		}
		f.Keys = append(f.Keys, e)
	})
	return k
}

func (l *lab) change(set func(*keyfile.File)) {
	l.t.Helper()
	if err := keyfile.Update(l.path, func(f *keyfile.File) error { set(f); return nil }); err != nil {
		l.t.Fatal(err)
	}
	l.clock.Advance(time.Second)
}

// write has the file hold a text, as an editor writes it.
func (l *lab) write(text string) {
	l.t.Helper()
	if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.clock.Advance(time.Second)
}

func (l *lab) ask(r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return l.h.Authenticate(l.t.Context(), r)
}

// code is the code of the refusal of a key, "ok", or "fault".
func (l *lab) code(key string) authhandlers.Code {
	_, err := l.ask(authtest.Bearer(key))
	return codeOf(err)
}

func codeOf(err error) authhandlers.Code {
	r, rejected := errors.AsType[*authhandlers.Rejection](err)
	switch {
	case err == nil:
		return "ok"
	case rejected:
		return r.Code
	case errors.Is(err, authhandlers.ErrNoCredential):
		return "not mine"
	}
	return "fault"
}

func (l *lab) note() string { return l.h.(authhandlers.Noter).Note() }

func TestAKeyIsItsOwner(t *testing.T) {
	l := newLab(t)
	one := l.add("ada", nil)
	two := l.add("ada", func(e *keyfile.Entry) { e.Permissions = []string{"MEMORY:READ"} })
	for text, may := range map[string]string{one.Text: "base", two.Text: "MEMORY:READ"} {
		u, err := l.ask(authtest.Bearer(text))
		if err != nil || u.Subject != "ada" || u.Issuer != "urn:catflap:keys:test" || len(u.Permissions) != 1 || u.Permissions[0] != may {
			t.Errorf("%+v %v, want ada who may %s", u, err, may)
		}
	}
	named := authtest.Bearer(one.Text)
	named.HTTP.Header.Set("user_id", "bo")
	if u, err := l.ask(named); err != nil || u.Subject != "ada" {
		t.Errorf("a header named somebody else: %+v %v", u, err)
	}
}

func TestRefusals(t *testing.T) {
	l := newLab(t)
	good := l.add("ada", nil)
	revoked := l.add("bo", func(e *keyfile.Entry) { e.Revoked = l.clock.Now() })
	ends := l.add("cy", func(e *keyfile.Entry) { e.Expires = l.clock.Now().Add(time.Hour) })
	bound := l.add("dee", func(e *keyfile.Entry) { e.From = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	other := keyfile.NewKey()
	swapped := good.Text[:8] + revoked.ID + good.Text[16:]
	for name, c := range map[string]struct {
		text string
		want authhandlers.Code
	}{
		"good": {good.Text, "ok"}, "ends later": {ends.Text, "ok"},
		"revoked": {revoked.Text, authhandlers.CodeRevokedAPIKey}, "unknown": {other.Text, authhandlers.CodeUnknownAPIKey},
		"the id of another": {swapped, authhandlers.CodeMalformedToken}, "cut": {good.Text[:40], authhandlers.CodeMalformedToken},
		"upper case": {strings.ToUpper(good.Text), authhandlers.CodeMalformedToken}, "the prefix": {"catflap_", authhandlers.CodeMalformedToken},
		"from elsewhere": {bound.Text, authhandlers.CodeAPIKeyPlace}, "long": {good.Text + strings.Repeat("a", 1<<20), authhandlers.CodeMalformedToken},
		"a ticket": {"cft_" + strings.Repeat("a", 43), "not mine"}, "a token": {"eyJ.e30.x", "not mine"},
	} {
		if got := l.code(c.text); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	near := authtest.Bearer(bound.Text)
	near.ClientIP = netip.MustParseAddr("::ffff:10.1.2.3")
	if _, err := l.ask(near); err != nil {
		t.Errorf("from its own network: %v", err)
	}
	l.clock.Advance(time.Hour)
	if got := l.code(ends.Text); got != authhandlers.CodeTokenExpired {
		t.Errorf("after its end: %s", got)
	}
}

// TestTheFileIsReadAgain: keys come and go, a broken file changes nothing and is told,
// and an empty one ends all, though not for a moment's sake.
func TestTheFileIsReadAgain(t *testing.T) {
	l := newLab(t)
	if l.note() != "" || l.code(keyfile.NewKey().Text) != authhandlers.CodeUnknownAPIKey {
		t.Fatal("without a file there are no keys, and that is in order")
	}
	k := l.add("ada", nil)
	if got := l.code(k.Text); got != "ok" {
		t.Fatalf("a new key: %s", got)
	}
	generation := l.h.(authhandlers.Rejudger).Generation
	before := generation()
	l.write("version: 1\nkeys: [{id: half")
	if l.code(k.Text) != "ok" || l.note() == "" || strings.Contains(l.note(), k.Text[20:]) || generation() != before {
		t.Errorf("a broken file: %s, note %q", l.code(k.Text), l.note())
	}
	l.write("")
	if got := l.code(k.Text); got != "ok" {
		t.Errorf("an empty file at the first look: %s", got)
	}
	l.clock.Advance(time.Second)
	if got := l.code(k.Text); got != authhandlers.CodeUnknownAPIKey || l.note() != "" || generation() == before {
		t.Errorf("an empty file: %s, note %q", got, l.note())
	}
	k = l.add("ada", nil)
	if got := l.code(k.Text); got != "ok" {
		t.Fatalf("a key again: %s", got)
	}
	if err := os.Remove(l.path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.clock.Advance(time.Second)
		l.code(k.Text)
	}
	if got := l.code(k.Text); got != authhandlers.CodeUnknownAPIKey || l.note() != "" {
		t.Errorf("a file that has gone: %s, note %q", got, l.note())
	}
}

// TestAMomentWithoutAFile: what an editor does between two looks changes nothing.
func TestAMomentWithoutAFile(t *testing.T) {
	l := newLab(t)
	k := l.add("ada", nil)
	l.code(k.Text)
	content, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	l.write("")
	if got := l.code(k.Text); got != "ok" {
		t.Errorf("emptied: %s", got)
	}
	l.write(string(content))
	for range 3 {
		if got := l.code(k.Text); got != "ok" {
			t.Errorf("written again: %s", got)
		}
		l.clock.Advance(time.Second)
	}
}

// TestManyAskAtTheSecondLook: while one reads the file again that was empty at the first
// look, the keys of before stay for the others.
func TestManyAskAtTheSecondLook(t *testing.T) {
	l := newLab(t)
	k := keyfile.NewKey()
	l.change(func(f *keyfile.File) { // so many that reading them takes a while
		for range 2000 {
			other := keyfile.NewKey()
			f.Keys = append(f.Keys, keyfile.Entry{ID: other.ID, Hash: other.Hash, Owner: "bo", Created: l.clock.Now()})
		}
		f.Keys = append(f.Keys, keyfile.Entry{ID: k.ID, Hash: k.Hash, Owner: "ada", Created: l.clock.Now()})
	})
	l.code(k.Text)
	content, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	l.write("")
	if got := l.code(k.Text); got != "ok" {
		t.Fatalf("emptied: %s", got)
	}
	l.write(string(content))
	var wg sync.WaitGroup
	var refused atomic.Int32
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if l.code(k.Text) != "ok" {
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := refused.Load(); n > 0 {
		t.Errorf("refused %d times", n)
	}
}

// TestRejudge: live sockets and tickets fall with their key.
func TestRejudge(t *testing.T) {
	l := newLab(t)
	k := l.add("ada", nil)
	shop := l.add("shop", func(e *keyfile.Entry) { e.ActsFor = "shop" })
	r := authtest.Bearer(k.Text)
	r.Lasting = true
	ada, err := l.ask(r)
	if err != nil || ada.Evidence == "" || strings.Contains(ada.Evidence, k.Text[20:]) {
		t.Fatal(ada, err)
	}
	r = onBehalf(shop.Text, "carol")
	r.Lasting = true
	carol, err := l.ask(r)
	if err != nil {
		t.Fatal(err)
	}
	judge := l.h.(authhandlers.Rejudger)
	for _, u := range []*authhandlers.AuthUserInfo{ada, carol} {
		again, err := judge.Rejudge(u)
		if err != nil || again.Subject != u.Subject || again.Issuer != u.Issuer {
			t.Errorf("%+v %v", again, err)
		}
	}
	before := judge.Generation()
	l.change(func(f *keyfile.File) { f.Find(k.ID).Permissions = []string{"MEMORY:READ"} })
	if again, err := judge.Rejudge(ada); err != nil || again.Permissions[0] != "MEMORY:READ" || judge.Generation() == before {
		t.Errorf("%+v %v: the permissions of before", again, err)
	}
	l.change(func(f *keyfile.File) {
		f.Find(k.ID).Revoked, f.Find(shop.ID).Hash = l.clock.Now(), keyfile.NewKey().Hash
	})
	if _, err := judge.Rejudge(ada); codeOf(err) != authhandlers.CodeRevokedAPIKey {
		t.Errorf("revoked: %v", err)
	}
	if _, err := judge.Rejudge(carol); codeOf(err) != authhandlers.CodeUnknownAPIKey {
		t.Errorf("another key of the same id: %v", err)
	}
	if _, err := judge.Rejudge(&authhandlers.AuthUserInfo{Subject: "ada", Evidence: "x"}); codeOf(err) != authhandlers.CodeUnknownAPIKey {
		t.Errorf("evidence of nothing: %v", err)
	}
}

// TestRejudgePlace: what a key has opened stays only where the key may come from now.
func TestRejudgePlace(t *testing.T) {
	home, office := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")
	for _, c := range []struct {
		name          string
		came          string
		before, after []netip.Prefix
		want          authhandlers.Code
	}{
		{"the same networks", "10.1.2.3", []netip.Prefix{home}, []netip.Prefix{home}, "ok"},
		{"others", "10.1.2.3", []netip.Prefix{home}, []netip.Prefix{office}, authhandlers.CodeAPIKeyPlace},
		{"one more", "10.1.2.3", []netip.Prefix{home}, []netip.Prefix{home, office}, "ok"},
		{"bound since", "10.1.2.3", nil, []netip.Prefix{office}, authhandlers.CodeAPIKeyPlace},
		{"bound since, to its own", "192.0.2.7", nil, []netip.Prefix{office}, "ok"},
		{"an address in the form of IPv6", "::ffff:192.0.2.7", nil, []netip.Prefix{office}, "ok"},
		{"an unknown address", "", nil, nil, "ok"},
		{"an unknown address, bound since", "", nil, []netip.Prefix{office}, authhandlers.CodeAPIKeyPlace},
	} {
		l := newLab(t)
		for _, actsFor := range []string{"", "shop"} {
			k := l.add("shop", func(e *keyfile.Entry) { e.ActsFor, e.From = actsFor, c.before })
			r := onBehalf(k.Text, "carol")
			r.Lasting, r.ClientIP = true, netip.Addr{}
			if c.came != "" {
				r.ClientIP = netip.MustParseAddr(c.came)
			}
			u, err := l.ask(r)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			l.change(func(f *keyfile.File) { f.Find(k.ID).From = c.after })
			if _, err := l.h.(authhandlers.Rejudger).Rejudge(u); codeOf(err) != c.want {
				t.Errorf("%s, acts for %q: %v, want %s", c.name, actsFor, err, c.want)
			}
		}
	}
}

// TestLastUse: it is noted beside the file, at most once a minute, and a folder that
// can't be written stops nobody.
func TestLastUse(t *testing.T) {
	l := newLab(t)
	k := l.add("ada", nil)
	tick := func() time.Time {
		l.h.(authhandlers.Rejudger).Generation()
		uses, err := keyfile.ReadUses(l.path)
		if err != nil {
			t.Fatal(err)
		}
		return uses[k.ID]
	}
	if !tick().IsZero() {
		t.Error("nobody has used the key")
	}
	l.code(k.Text)
	first := l.clock.Now().UTC()
	if got := tick(); !got.Equal(first) {
		t.Errorf("noted %v, want %v", got, first)
	}
	l.clock.Advance(30 * time.Second)
	l.code(k.Text)
	if got := tick(); !got.Equal(first) {
		t.Errorf("it was written again within a minute: %v", got)
	}
	l.clock.Advance(31 * time.Second)
	if got := tick(); !got.Equal(first.Add(30 * time.Second)) {
		t.Errorf("after a minute it is %v", got)
	}
	if err := os.Remove(keyfile.UsesPath(l.path)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(keyfile.UsesPath(l.path), 0o700); err != nil { // so that it can't be written, by root neither
		t.Fatal(err)
	}
	l.clock.Advance(2 * time.Minute)
	if got := l.code(k.Text); got != "ok" {
		t.Error(got)
	}
	l.h.(authhandlers.Rejudger).Generation()
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("keys: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, dir, ""} {
		c := &apikey.Config{KeysFile: value.Path(path)}
		if _, err := authhandlers.Open(t.Context(), c, authtest.NewEnv(t, authtest.NewClock())); err == nil {
			t.Errorf("%q: opened", path)
		}
		if path != "" && c.Inspect() == nil {
			t.Errorf("%q: check says nothing", path)
		}
	}
	none := &apikey.Config{KeysFile: value.Path(filepath.Join(dir, "none.yaml"))}
	if none.Inspect() != nil || none.InspectDoubts() == nil {
		t.Error("a file that is not there is worth a warning, and no error")
	}
}

func TestDoubts(t *testing.T) {
	l := newLab(t)
	c := &apikey.Config{KeysFile: value.Path(l.path)}
	l.write("")
	if err := c.InspectDoubts(); err == nil || !strings.Contains(err.Error(), "no keys") {
		t.Errorf("%v", err)
	}
	l.add("ada", nil)
	if err := c.InspectDoubts(); err != nil {
		t.Errorf("%v", err)
	}
	if err := os.Chmod(l.path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.InspectDoubts(); err == nil || !strings.Contains(err.Error(), "0644") {
		t.Errorf("%v", err)
	}
}
