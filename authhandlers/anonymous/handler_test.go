package anonymous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// fullError returns the *FullError of err.
func fullError(t *testing.T, err error) *authhandlers.FullError {
	t.Helper()
	full, ok := errors.AsType[*authhandlers.FullError](err)
	if !ok || full.Code == "" || full.Wait <= 0 {
		t.Fatalf("%+v, want a FullError with a code and a time", err)
	}
	return full
}

func TestGuestIsTheSameForAsLongAsTheCookieComes(t *testing.T) {
	l := newLab(t, nil)
	v, w := l.visitor("192.0.2.1"), l.visitor("192.0.2.1")
	first, second := v.comes(), w.comes()
	if first.Subject == second.Subject || !first.IsGuest() || first.Name == "" || len(first.Subject) != 32 {
		t.Errorf("%+v and %+v", first, second)
	}
	if strings.Contains(v.cookie, first.Subject) {
		t.Error("the cookie holds what the Cat is told")
	}
	if again, err := v.takeIn(); err != nil || again.Subject != first.Subject || v.sets != 1 {
		t.Errorf("asked to be a guest again: %+v, %v, %d cookies", again, err, v.sets)
	}
	l.clock.Advance(11 * time.Hour)
	if u, err := v.ask(); err != nil || v.sets != 1 || u.Subject != first.Subject {
		t.Errorf("before half of the life: %v, %d cookies", err, v.sets)
	}
	l.clock.Advance(2 * time.Hour)
	if u, err := v.ask(); err != nil || v.sets != 2 || u.Subject != first.Subject || !u.Expiry.Equal(l.clock.Now().Add(24*time.Hour)) {
		t.Errorf("after half of the life: %+v, %v, %d cookies", u, err, v.sets)
	}
	if _, err := w.ask(); err != nil {
		t.Error(err)
	}
	l.clock.Advance(24 * time.Hour)
	if _, err := v.ask(); !errors.Is(err, authhandlers.ErrNoCredential) {
		t.Errorf("after the end: %v", err)
	}
}

// TestGuestEnds: no renewal leads beyond max_lifetime.
func TestGuestEnds(t *testing.T) {
	l := newLab(t, func(c *Config) { c.MaxLifetime = hours(48) })
	v := l.visitor("192.0.2.1")
	v.comes()
	end := l.clock.Now().Add(48 * time.Hour)
	for l.clock.Now().Before(end) {
		u, err := v.ask()
		if err != nil || u.Expiry.After(end) {
			t.Fatalf("%+v, %v", u, err)
		}
		l.clock.Advance(6 * time.Hour)
	}
	if _, err := v.ask(); !errors.Is(err, authhandlers.ErrNoCredential) {
		t.Errorf("after the end: %v", err)
	}
}

// TestNobodyBecomesAGuestWithACredential: not even somebody who asks for it.
func TestNobodyBecomesAGuestWithACredential(t *testing.T) {
	l := newLab(t, nil)
	for name, change := range map[string]func(*authhandlers.Request){
		"a token":                       func(r *authhandlers.Request) { r.Credential = &authhandlers.Credential{Scheme: "bearer", Value: "x"} },
		"what may be a credential":      func(r *authhandlers.Request) { r.OtherCredential = true },
		"an answer without any cookies": func(r *authhandlers.Request) { r.SetCookie = nil },
	} {
		v := l.visitor("192.0.2.1")
		r := v.request()
		change(r)
		if u, err := l.h.TakeIn(t.Context(), r); err == nil || v.sets != 0 {
			t.Errorf("%s: %+v, %d cookies", name, u, v.sets)
		}
	}
}

// TestPlacesAreBounded: in all, and for each network; who keeps no cookies takes none.
func TestPlacesAreBounded(t *testing.T) {
	l := newLab(t, func(c *Config) { c.Guests, c.PerAddress, c.NewPerAddress, c.NewPerHour = 5, 2, 100, 1000 })
	for range 20 {
		if _, err := l.visitor("198.51.100.1").takeIn(); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.h.Guests(); n != 0 {
		t.Fatalf("%d guests without a cookie", n)
	}
	v := l.visitor("2001:db8::1")
	v.comes()
	l.visitor("2001:db8::2").comes()
	if _, err := l.visitor("2001:db8::3").takeIn(); !fullError(t, err).Own {
		t.Error("the share of a network is no bound")
	}
	for n := range 3 {
		l.visitor(fmt.Sprintf("192.0.2.%d", n)).comes()
	}
	if _, err := l.visitor("192.0.2.9").takeIn(); fullError(t, err).Own || l.seen[eventFull] != 2 {
		t.Errorf("the bound for all: %v, %v", err, l.seen)
	}
	if _, err := v.ask(); err != nil {
		t.Errorf("a guest with a place: %v", err)
	}
}

// TestIdleGuestGivesUp: only for another, only after idle, and then their sockets fall.
func TestIdleGuestGivesUp(t *testing.T) {
	l := newLab(t, func(c *Config) { c.Guests, c.PerAddress = 2, 1 })
	v, w, x := l.visitor("192.0.2.1"), l.visitor("192.0.2.2"), l.visitor("192.0.2.3")
	r := func() *authhandlers.Request { v.comes(); r := v.request(); r.Lasting = true; return r }()
	connected, err := l.h.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(30 * time.Minute)
	w.comes()
	if _, err := x.takeIn(); fullError(t, err).Wait != 30*time.Minute {
		t.Errorf("%v", err)
	}
	generation := l.h.Generation()
	l.clock.Advance(30 * time.Minute)
	if _, err := l.h.Rejudge(connected); err != nil || l.h.Generation() != generation {
		t.Errorf("idle, and nobody waits: %v", err)
	}
	x.comes()
	if _, err := l.h.Rejudge(connected); !rejected(err) || l.h.Generation() == generation || l.seen[eventGivenUp] != 1 {
		t.Errorf("a place was given up: %v, %v", err, l.seen)
	}
	if _, err := v.ask(); fullError(t, err).Code != authhandlers.CodeGuestsFull {
		t.Error(err)
	}
	l.clock.Advance(31 * time.Minute)
	if u, err := v.ask(); err != nil || u.Subject != connected.Subject {
		t.Errorf("comes back: %+v, %v", u, err)
	}
}

// TestNewGuestsAreBounded: by address, and in all.
func TestNewGuestsAreBounded(t *testing.T) {
	l := newLab(t, func(c *Config) { c.NewPerAddress, c.NewPerHour = 3, 5 })
	for range 3 {
		if _, err := l.visitor("192.0.2.1").takeIn(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.visitor("192.0.2.1").takeIn(); !fullError(t, err).Own {
		t.Error("an address has no share")
	}
	for n := range 2 {
		if _, err := l.visitor(fmt.Sprintf("192.0.2.%d", n+2)).takeIn(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.visitor("192.0.2.9").takeIn(); fullError(t, err).Own || l.seen[eventTooMany] != 2 {
		t.Errorf("no bound for all: %v", l.seen)
	}
	l.open(func(c *Config) { c.NewPerAddress, c.NewPerHour = 3, 5 })
	if _, err := l.visitor("192.0.2.1").takeIn(); err == nil {
		t.Error("a reload gave an address its share back")
	}
	l.clock.Advance(time.Hour)
	if _, err := l.visitor("192.0.2.1").takeIn(); err != nil {
		t.Error(err)
	}
}

// TestWhoSignsInIsNoGuest: the place is free, the cookie deleted, and no copy comes back.
func TestWhoSignsInIsNoGuest(t *testing.T) {
	l := newLab(t, nil)
	v := l.visitor("192.0.2.1")
	u := v.comes()
	r := v.request()
	r.Lasting = true
	connected, err := l.h.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	stolen := v.cookie
	if gone := l.h.SeeOff(v.request()); gone == nil || gone.Subject != u.Subject || v.cookie != "" || l.h.Guests() != 0 {
		t.Errorf("%+v, cookie %q, %d guests", gone, v.cookie, l.h.Guests())
	}
	v.cookie = stolen
	if _, err := v.ask(); !errors.Is(err, authhandlers.ErrNoCredential) {
		t.Errorf("a copy of the cookie: %v", err)
	}
	if _, err := l.h.Rejudge(connected); !rejected(err) {
		t.Errorf("a socket of theirs: %v", err)
	}
	if gone := l.h.SeeOff(v.request()); gone != nil {
		t.Errorf("seen off twice: %+v", gone)
	}
	if l.h.SeeOff(l.visitor("192.0.2.2").request()) != nil {
		t.Error("nobody was seen off")
	}
}

// TestEvidenceIsKept: a ticket, in which it stands as JSON, is as good as the cookie.
func TestEvidenceIsKept(t *testing.T) {
	l := newLab(t, nil)
	v := l.visitor("192.0.2.1")
	u := v.comes()
	r := v.request()
	r.Lasting = true
	connected, err := l.h.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(connected)
	if err != nil {
		t.Fatal(err)
	}
	var kept authhandlers.AuthUserInfo
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	if again, err := l.h.Rejudge(&kept); err != nil || again.Subject != u.Subject {
		t.Errorf("%+v, %v", again, err)
	}
	for _, bad := range []string{"", "x", connected.Evidence + "A", connected.Evidence[1:], strings.Repeat("A", len(connected.Evidence))} {
		other := *connected
		other.Evidence = bad
		if _, err := l.h.Rejudge(&other); !rejected(err) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// between is a context that does something when it is asked whether it is over.
type between struct {
	context.Context
	do func()
}

func (b between) Err() error {
	b.do()
	return nil
}

// TestWhoSignsInInBetweenIsNoGuest: a request whose cookie was read before its guest
// signed in takes no place.
func TestWhoSignsInInBetweenIsNoGuest(t *testing.T) {
	l := newLab(t, nil)
	v := l.visitor("192.0.2.1")
	v.comes()
	r, signsIn := v.request(), v.request()
	r.Lasting = true
	u, err := l.h.Authenticate(between{t.Context(), func() { l.h.SeeOff(signsIn) }}, r)
	if !errors.Is(err, authhandlers.ErrNoCredential) || l.h.Guests() != 0 {
		t.Errorf("%+v, %v, %d guests", u, err, l.h.Guests())
	}
}

func rejected(err error) bool {
	_, ok := errors.AsType[*authhandlers.Rejection](err)
	return ok
}

// TestKeysRotate: an old key opens, another stranger's never does, and who came by a
// key that is gone is out.
func TestKeysRotate(t *testing.T) {
	l := newLab(t, nil)
	v := l.visitor("192.0.2.1")
	v.comes()
	r := v.request()
	r.Lasting = true
	connected, err := l.h.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	l.env.Keys = [][]byte{testKey(2), testKey(1)}
	l.open(nil)
	if u, err := v.ask(); err != nil || u.Subject != connected.Subject {
		t.Errorf("with the old key behind: %v", err)
	}
	if _, err := l.h.Rejudge(connected); err != nil {
		t.Error(err)
	}
	l.env.Keys = [][]byte{testKey(2)}
	l.open(nil)
	if _, err := v.ask(); !errors.Is(err, authhandlers.ErrNoCredential) || l.seen[eventBadCookie] == 0 {
		t.Errorf("without the old key: %v", err)
	}
	if _, err := l.h.Rejudge(connected); !rejected(err) {
		t.Errorf("without the old key, a socket: %v", err)
	}
	if u, err := v.takeIn(); err != nil || u.Subject == connected.Subject {
		t.Errorf("is not taken in again: %+v, %v", u, err)
	}
}

// TestNoTwoGuestsHaveOneID, whatever the cookies: what opens is exactly what was made.
func TestNoTwoGuestsHaveOneID(t *testing.T) {
	l := newLab(t, nil)
	seen, cookies := map[string]bool{}, []string{}
	for range 5000 {
		p := newPass(l.clock.Now())
		if seen[p.subject()] {
			t.Fatal("two guests have one id")
		}
		seen[p.subject()] = true
		cookies = append(cookies, l.h.ring.seal(p))
	}
	random := rand.New(rand.NewPCG(1, 2))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.%"
	for range 20000 {
		one, other := []byte(cookies[random.IntN(len(cookies))]), cookies[random.IntN(len(cookies))]
		switch random.IntN(3) {
		case 0:
			one[random.IntN(len(one))] = letters[random.IntN(len(letters))]
		case 1:
			at := random.IntN(len(one))
			one = append(one[:at:at], other[at:]...)
		case 2:
			one = one[:random.IntN(len(one))]
		}
		p, err := l.h.ring.open(string(one))
		if err == nil && l.h.ring.seal(p) != string(one) {
			t.Fatalf("%q opens as another text's", one)
		}
		if err == nil && !seen[p.subject()] {
			t.Fatalf("%q is a guest that nobody made", one)
		}
	}
}

func FuzzOpen(f *testing.F) {
	r := newRing([][]byte{testKey(1)})
	f.Add(r.seal(passOf(1, time.Unix(1e9, 0))))
	f.Add(newRing([][]byte{testKey(2)}).seal(passOf(1, time.Unix(1e9, 0))))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := r.open(text); err == nil && r.seal(p) != text {
			t.Errorf("%q opens as another's", text)
		}
	})
}

func TestConfig(t *testing.T) {
	if err := NewConfig().Validate(); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(*Config){
		"guests":            func(c *Config) { c.Guests = 0 },
		"per_address":       func(c *Config) { c.PerAddress = -1 },
		"new_per_address":   func(c *Config) { c.NewPerAddress = 1e6 },
		"new_per_hour":      func(c *Config) { c.NewPerHour = 0 },
		"idle":              func(c *Config) { c.Idle = 0 },
		"lifetime":          func(c *Config) { c.Lifetime = hours(3000) },
		"max_lifetime":      func(c *Config) { c.MaxLifetime = hours(1) },
		"keep_conversation": func(c *Config) { c.KeepConversation = "always" },
	} {
		c := NewConfig()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	c := NewConfig()
	c.Guests, c.PerAddress = 90, 60
	if err := c.Doubts(); err == nil || !strings.Contains(err.Error(), "guests") || !strings.Contains(err.Error(), "per_address") {
		t.Errorf("%v", err)
	}
	if err := NewConfig().Doubts(); err != nil {
		t.Error(err)
	}
}
