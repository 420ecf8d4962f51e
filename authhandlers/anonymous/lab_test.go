package anonymous

import (
	"bytes"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/config/value"
)

const cookieName = "__Host-catflap-at-guests"

// testKey is a key of 32 bytes.
func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// lab is an open handler with a clock.
type lab struct {
	t     *testing.T
	clock *authtest.Clock
	h     *handler
	env   authhandlers.Env
	kept  any
	seen  map[string]int // events
}

func newLab(t *testing.T, change func(*Config)) *lab {
	t.Helper()
	l := &lab{t: t, clock: authtest.NewClock(), seen: map[string]int{}}
	l.env = authtest.NewEnv(t, l.clock)
	l.env.Cookie, l.env.Keys = cookieName, [][]byte{testKey(1)}
	l.env.Observe = func(event string) { l.seen[event]++ }
	l.env.Kept = func(make func() any) any {
		if l.kept == nil {
			l.kept = make()
		}
		return l.kept
	}
	l.open(change)
	return l
}

// open is a reload.
func (l *lab) open(change func(*Config)) {
	l.t.Helper()
	c := NewConfig()
	if change != nil {
		change(c)
	}
	h, err := authhandlers.Open(l.t.Context(), c, l.env)
	if err != nil {
		l.t.Fatal(err)
	}
	l.h, _ = h.(*handler)
}

// visitor is a browser, or a client that keeps cookies.
type visitor struct {
	l      *lab
	from   string
	cookie string
	sets   int
}

func (l *lab) visitor(from string) *visitor { return &visitor{l: l, from: from} }

func (v *visitor) request() *authhandlers.Request {
	r := authtest.NewRequest()
	r.ClientIP = netip.MustParseAddr(v.from)
	if v.cookie != "" {
		r.HTTP.AddCookie(&http.Cookie{Name: cookieName, Value: v.cookie})
	}
	r.SetCookie = func(name, value string, _ time.Duration) {
		if name != cookieName {
			v.l.t.Errorf("the cookie is named %s", name)
		}
		v.cookie = value
		v.sets++
	}
	return r
}

func (v *visitor) takeIn() (*authhandlers.AuthUserInfo, error) {
	return v.l.h.TakeIn(v.l.t.Context(), v.request())
}

func (v *visitor) ask() (*authhandlers.AuthUserInfo, error) {
	return v.l.h.Authenticate(v.l.t.Context(), v.request())
}

// comes makes a guest who has a place.
func (v *visitor) comes() *authhandlers.AuthUserInfo {
	v.l.t.Helper()
	made, err := v.takeIn()
	if err != nil {
		v.l.t.Fatal(err)
	}
	u, err := v.ask()
	if err != nil || u.Subject != made.Subject {
		v.l.t.Fatalf("%+v, %v; was taken in as %+v", u, err, made)
	}
	return u
}

func hours(n int) value.Duration { return value.Duration(time.Duration(n) * time.Hour) }
