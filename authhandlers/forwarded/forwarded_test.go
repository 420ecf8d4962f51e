package forwarded_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/forwarded"
	"github.com/catflap/catflap/config/value"
)

const (
	proxyAt = "192.0.2.10:40000"
	good    = "a shared secret of more than 32 bytes"
	older   = "another secret, which is older, of 40 bytes"
)

// secrets writes each into a file of its own.
func secrets(t testing.TB, texts ...string) []value.Secret {
	t.Helper()
	dir := t.TempDir()
	var all []value.Secret
	for i, text := range texts {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, value.Secret{File: value.Path(file)})
	}
	return all
}

func settings(t testing.TB) *forwarded.Config {
	t.Helper()
	c := forwarded.NewConfig()
	c.From, c.Secrets, c.UserHeader = []string{"192.0.2.8/29"}, secrets(t, good, older), "X-Forwarded-User"
	c.NameHeader, c.EmailHeader, c.GroupsHeader = "X-Forwarded-Preferred-Username", "X-Forwarded-Email", "X-Forwarded-Groups"
	return c
}

func open(t testing.TB, clock *authtest.Clock, c *forwarded.Config) authhandlers.AuthHandler {
	t.Helper()
	env := authtest.NewEnv(t, clock)
	env.Claims = []string{"email"}
	h, err := authhandlers.Open(t.Context(), c, env)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// request comes from the peer, with the lines of its header.
func request(peer string, lines ...string) *authhandlers.Request {
	r := authtest.NewRequest()
	r.HTTP.RemoteAddr = peer
	for _, l := range lines {
		name, text, _ := strings.Cut(l, ": ")
		r.HTTP.Header.Add(name, text)
	}
	return r
}

const secret = "X-Catflap-Proxy-Secret: " + good

func TestConformance(t *testing.T) {
	clock := authtest.NewClock()
	of := func(peer string, lines ...string) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request { return request(peer, lines...) }
	}
	beside := func(scheme string) func(*testing.T) *authhandlers.Request {
		return func(*testing.T) *authhandlers.Request {
			r := request(proxyAt, "X-Forwarded-User: alice", secret)
			r.Credential = &authhandlers.Credential{Scheme: scheme, Value: "x", Carrier: authhandlers.CarrierAuthorization}
			return r
		}
	}
	authtest.Run(t, authtest.Suite{
		Clock: clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			h, err := authhandlers.Open(t.Context(), settings(t), env)
			if err != nil {
				t.Fatal(err)
			}
			return h
		},
		Request: func(_ *testing.T, n int) *authhandlers.Request {
			return request(proxyAt, fmt.Sprintf("X-Forwarded-User: person-%d", n), secret)
		},
		Person: func(n int) (string, string) { return "forwarded:test", fmt.Sprintf("person-%d", n) },
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"no secret":            of(proxyAt, "X-Forwarded-User: alice"),
			"an empty secret":      of(proxyAt, "X-Forwarded-User: alice", "X-Catflap-Proxy-Secret: "),
			"a wrong secret":       of(proxyAt, "X-Forwarded-User: alice", "X-Catflap-Proxy-Secret: x"),
			"a wrong secret alone": of(proxyAt, "X-Catflap-Proxy-Secret: x"),
			"the secret twice":     of(proxyAt, "X-Forwarded-User: alice", secret, secret),
			"a part of the secret": of(proxyAt, "X-Forwarded-User: alice", secret[:len(secret)-1]),
			"both secrets":         of(proxyAt, "X-Forwarded-User: alice", secret+", "+older),
			"two people":           of(proxyAt, "X-Forwarded-User: alice", "X-Forwarded-User: bob", secret),
			"one person twice":     of(proxyAt, "X-Forwarded-User: alice", "X-Forwarded-User: alice", secret),
			"an empty line first":  of(proxyAt, "X-Forwarded-User: ", "X-Forwarded-User: bob", secret),
			"a list":               of(proxyAt, "X-Forwarded-User: alice, bob", secret),
			"groups twice":         of(proxyAt, "X-Forwarded-User: alice", "X-Forwarded-Groups: a", "X-Forwarded-Groups: admins", secret),
			"a name twice":         of(proxyAt, "X-Forwarded-User: alice", "X-Forwarded-Preferred-Username: a", "X-Forwarded-Preferred-Username: b", secret),
			"mail twice":           of(proxyAt, "X-Forwarded-User: alice", "X-Forwarded-Email: a@x", "X-Forwarded-Email: b@x", secret),
			"no Unicode":           of(proxyAt, "X-Forwarded-User: \xff", secret),
		},
		Foreign: map[string]func(*testing.T) *authhandlers.Request{
			"from elsewhere":        of("192.0.2.16:1", "X-Forwarded-User: alice", secret),
			"said to be from there": of("192.0.2.16:1", "X-Forwarded-User: alice", "X-Forwarded-For: 192.0.2.10", secret),
			"from nowhere":          of("", "X-Forwarded-User: alice", secret),
			"other spellings":       of(proxyAt, "X_Forwarded_User: alice", "Forwarded-User: alice", secret),
			"nobody":                of(proxyAt, "X-Forwarded-User: ", secret),
			"groups of nobody":      of(proxyAt, "X-Forwarded-Groups: admins", secret),
			"a token beside it":     beside("bearer"),
			"another scheme":        beside("negotiate"),
			"a token elsewhere": func(*testing.T) *authhandlers.Request {
				r := request(proxyAt, "X-Forwarded-User: alice", secret)
				r.Carried = true
				return r
			},
		},
	})
}

// TestPeerAddress: the address is that of the connection, in each of its forms.
func TestPeerAddress(t *testing.T) {
	c := settings(t)
	c.From = []string{"192.0.2.8/29", "2001:db8::/32", "fe80::/10"}
	h := open(t, authtest.NewClock(), c)
	for peer, want := range map[string]bool{
		"192.0.2.8:1": true, "192.0.2.15:1": true, "192.0.2.16:1": false, "192.0.2.7:1": false, "[::ffff:192.0.2.8]:1": true, "[::ffff:192.0.2.7]:1": false,
		"[2001:db8::7]:1": true, "[2001:db9::7]:1": false, "[fe80::1%eth0]:1": true, "@": false, "": false, "192.0.2.8": false,
	} {
		_, err := h.Authenticate(t.Context(), request(peer, "X-Forwarded-User: alice", secret))
		if (err == nil) != want || !want && !errors.Is(err, authhandlers.ErrNoCredential) {
			t.Errorf("%q: %v", peer, err)
		}
	}
}

func TestPerson(t *testing.T) {
	clock := authtest.NewClock()
	for _, c := range []struct{ separator, groups, want string }{
		{"comma", "dev, admins ,,", "dev|admins"}, {"semicolon", "a,b;c", "a,b|c"}, {"pipe", "a|b", "a|b"}, {"space", "a  b", "a|b"}, {"none", "a, b", "a, b"}, {"comma", "", ""},
	} {
		s := settings(t)
		s.GroupsSeparator, s.Issuer = c.separator, "edge"
		u, err := open(t, clock, s).Authenticate(t.Context(), request(proxyAt, "X-Forwarded-User: 4711", "X-Forwarded-Preferred-Username: Doe, Alice",
			"X-Forwarded-Email: alice@example.com", "X-Forwarded-Groups: "+c.groups, "X-Catflap-Proxy-Secret: "+older))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(u.Groups, "|"); got != c.want {
			t.Errorf("%s: groups %q, want %q", c.separator, got, c.want)
		}
		if u.Subject != "4711" || u.Name != "Doe, Alice" || u.Issuer != "forwarded:edge" || fmt.Sprint(u.Claims) != "map[email:[alice@example.com]]" || !u.Expiry.Equal(clock.Now().Add(8*time.Hour)) {
			t.Errorf("%+v", u)
		}
	}
}

// TestBasicBesideIt: what a proxy adds for each person is not in the way.
func TestBasicBesideIt(t *testing.T) {
	r := request(proxyAt, "X-Forwarded-User: alice", secret)
	r.Credential = &authhandlers.Credential{Scheme: "basic", Value: "YWxpY2U6", Carrier: authhandlers.CarrierAuthorization}
	if u, err := open(t, authtest.NewClock(), settings(t)).Authenticate(t.Context(), r); err != nil || u.Subject != "alice" {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestRejudge: after a reload somebody stays as long as the proxy could name them so.
func TestRejudge(t *testing.T) {
	clock := authtest.NewClock()
	first := settings(t)
	r := request(proxyAt, "X-Forwarded-User: alice", secret)
	r.Lasting = true
	u, err := open(t, clock, first).Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(u.Evidence, good) {
		t.Error("the secret is kept")
	}
	for name, c := range map[string]struct {
		change func(*forwarded.Config)
		in     bool
	}{
		"the same":          {func(*forwarded.Config) {}, true},
		"another secret":    {func(c *forwarded.Config) { c.Secrets = secrets(t, older) }, false},
		"a further secret":  {func(c *forwarded.Config) { c.Secrets = secrets(t, "a brand-new secret that has 40 bytes....", good) }, true},
		"another network":   {func(c *forwarded.Config) { c.From = []string{"192.0.2.16/29"} }, false},
		"another header":    {func(c *forwarded.Config) { c.UserHeader = "X-Forwarded-Id" }, false},
		"another issuer":    {func(c *forwarded.Config) { c.Issuer = "other" }, false},
		"a wider network":   {func(c *forwarded.Config) { c.From = []string{"192.0.2.0/24"} }, true},
		"the header's case": {func(c *forwarded.Config) { c.UserHeader = "x-forwarded-user" }, true},
	} {
		s := settings(t)
		c.change(s)
		again, err := open(t, clock, s).(authhandlers.Rejudger).Rejudge(u)
		if (err == nil) != c.in || c.in && !again.Same(u) {
			t.Errorf("%s: %+v, %v", name, again, err)
		}
	}
	if _, err := open(t, clock, first).(authhandlers.Rejudger).Rejudge(&authhandlers.AuthUserInfo{Evidence: "{"}); err == nil {
		t.Error("in by a broken evidence")
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*forwarded.Config){
		"no network":                  func(c *forwarded.Config) { c.From = nil },
		"an address":                  func(c *forwarded.Config) { c.From = []string{"192.0.2.8"} },
		"a host bit":                  func(c *forwarded.Config) { c.From = []string{"192.0.2.9/29"} },
		"IPv4 in IPv6":                func(c *forwarded.Config) { c.From = []string{"::ffff:192.0.2.8/125"} },
		"no proof":                    func(c *forwarded.Config) { c.Secrets = nil },
		"an empty secret":             func(c *forwarded.Config) { c.Secrets = []value.Secret{{}} },
		"no user header":              func(c *forwarded.Config) { c.UserHeader = "" },
		"Authorization":               func(c *forwarded.Config) { c.UserHeader = "authorization" },
		"the Cat's":                   func(c *forwarded.Config) { c.UserHeader = "User-Id" },
		"X-Forwarded-For":             func(c *forwarded.Config) { c.EmailHeader = "X-Forwarded-For" },
		"one header twice":            func(c *forwarded.Config) { c.EmailHeader = "x_forwarded_user" },
		"the secret as a name":        func(c *forwarded.Config) { c.NameHeader = "x-catflap-proxy-secret" },
		"another separator":           func(c *forwarded.Config) { c.GroupsSeparator = ":" },
		"no life":                     func(c *forwarded.Config) { c.MaxLife = 0 },
		"a space in the issuer":       func(c *forwarded.Config) { c.Issuer = "a b" },
		"a name without a kind":       func(c *forwarded.Config) { c.Certificates = []string{"edge.internal"} },
		"an authority and no names":   func(c *forwarded.Config) { c.Authorities = []string{strings.Repeat("ab", 32)} },
		"an authority that is no SHA": func(c *forwarded.Config) { c.Certificates, c.Authorities = []string{"cn:edge"}, []string{"ab"} },
	} {
		c := settings(t)
		change(c)
		if c.Validate() == nil {
			t.Errorf("%s is valid", name)
		}
	}
	c := settings(t)
	if err := errors.Join(c.Validate(), c.Inspect(), c.Doubts()); err != nil {
		t.Error(err)
	}
	c.Secrets = secrets(t, "short")
	if c.Inspect() == nil {
		t.Error("a short secret will do")
	}
	for network, doubt := range map[string]bool{"0.0.0.0/0": true, "::/0": true, "64.0.0.0/7": true, "10.0.0.0/8": false, "2000::/3": true, "2001:db8::/32": false} {
		c.From = []string{network}
		if c.Validate() != nil || (c.Doubts() != nil) != doubt {
			t.Errorf("%s: %v, %v", network, c.Validate(), c.Doubts())
		}
	}
}

// FuzzPeople: no two names of the proxy's are one person.
func FuzzPeople(f *testing.F) {
	clock := authtest.NewClock()
	c := settings(f)
	chain, err := authhandlers.NewChain(clock.Now, authhandlers.Link{Name: "edge", Alias: "edge", Handler: open(f, clock, c)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("alice", "Alice")
	f.Add("a b", "a~20b")
	f.Add("alice", "alice ")
	f.Fuzz(func(t *testing.T, a, b string) {
		id := func(name string) string {
			r := request(proxyAt, secret)
			r.HTTP.Header["X-Forwarded-User"] = []string{name}
			u, err := chain.Authenticate(t.Context(), r)
			if err != nil {
				t.Skip(err)
			}
			return u.ID
		}
		if (id(a) == id(b)) != (a == b) {
			t.Errorf("%q and %q: %q and %q", a, b, id(a), id(b))
		}
	})
}
