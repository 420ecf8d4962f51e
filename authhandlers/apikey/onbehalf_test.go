package apikey_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/keyfile"
)

// onBehalf is a request of a server that acts for somebody.
func onBehalf(key, id string) *authhandlers.Request {
	r := authtest.Bearer(key)
	r.HTTP.Header["User_id"] = []string{id} // as net/http reads the header
	return r
}

func (l *lab) chain(t *testing.T) *authhandlers.Chain {
	t.Helper()
	c, err := authhandlers.NewChain(l.clock.Now, authhandlers.Link{Name: "bots", Alias: "bots", Handler: l.h})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOnBehalfOf(t *testing.T) {
	l := newLab(t)
	shop := l.add("shop", func(e *keyfile.Entry) { e.ActsFor = "shop"; e.Permissions = []string{"CONVERSATION:WRITE"} })
	blog := l.add("blog", func(e *keyfile.Entry) { e.ActsFor = "blog" })
	bots := l.add("bots", nil)
	for _, c := range []struct{ key, user, want string }{
		{shop.Text, "alice", "shop:alice"}, {blog.Text, "alice", "blog:alice"}, {shop.Text, "admin", "shop:admin"},
		{shop.Text, "../../etc", "shop:..~2f..~2fetc"}, {shop.Text, "blog:alice", "shop:blog~3aalice"}, {shop.Text, "Alice", "shop:Alice"},
		{shop.Text, `a"b'c`, "shop:a~22b~27c"}, {shop.Text, "é", "shop:~c3~a9"}, {shop.Text, "a, b", "shop:a~2c~20b"}, {shop.Text, "shop", "shop:shop"},
		{bots.Text, "alice", "bots:bots"},
	} {
		u, err := l.chain(t).Authenticate(t.Context(), onBehalf(c.key, c.user))
		if err != nil || u.ID != c.want {
			t.Errorf("%q: %+v %v, want %s", c.user, u, err, c.want)
		}
		if c.key == shop.Text && (len(u.Permissions) != 1 || u.Permissions[0] != "CONVERSATION:WRITE") {
			t.Errorf("%q may %v", c.user, u.Permissions)
		}
	}
}

// TestRulesOfActingForOthers has each rule, and that the refusal names it.
func TestRulesOfActingForOthers(t *testing.T) {
	l := newLab(t)
	shop := l.add("shop", func(e *keyfile.Entry) { e.ActsFor = "shop" })
	for _, c := range []struct {
		name   string
		change func(*authhandlers.Request)
		want   authhandlers.Code
		hint   string
	}{
		{"nobody", func(r *authhandlers.Request) { r.HTTP.Header.Del("user_id") }, authhandlers.CodeUserIDHeader, "there is none"},
		{"empty", func(r *authhandlers.Request) { r.HTTP.Header.Set("user_id", "") }, authhandlers.CodeUserIDHeader, "empty"},
		{"two", func(r *authhandlers.Request) { r.HTTP.Header.Add("user_id", "bo") }, authhandlers.CodeUserIDHeader, "more"},
		{"two equal ones", func(r *authhandlers.Request) { r.HTTP.Header.Add("user_id", "ada") }, authhandlers.CodeUserIDHeader, "more"},
		{"another spelling too", func(r *authhandlers.Request) { r.HTTP.Header.Set("user-id", "bo") }, authhandlers.CodeUserIDHeader, "more"},
		{"another spelling", func(r *authhandlers.Request) {
			r.HTTP.Header.Del("user_id")
			r.HTTP.Header.Set("User-Id", "ada")
		}, authhandlers.CodeUserIDHeader, "underscore"},
		{"a control character", func(r *authhandlers.Request) { r.HTTP.Header.Set("user_id", "a\u0085") }, authhandlers.CodeUserIDHeader, "control"},
		{"no UTF-8", func(r *authhandlers.Request) { r.HTTP.Header.Set("user_id", "\xe9") }, authhandlers.CodeUserIDHeader, "UTF-8"},
		{"too long", func(r *authhandlers.Request) { r.HTTP.Header.Set("user_id", strings.Repeat("a", 1025)) }, authhandlers.CodeUserIDHeader, "1024"},
		{"a WebSocket", func(r *authhandlers.Request) { r.Kind = authhandlers.KindWebSocket }, authhandlers.CodeAPIKeyPlace, "ticket"},
		{"a query", func(r *authhandlers.Request) { r.Credential.Carrier = authhandlers.CarrierQuery }, authhandlers.CodeAPIKeyPlace, "Authorization"},
		{"an origin", func(r *authhandlers.Request) { r.HTTP.Header.Set("Origin", "null") }, authhandlers.CodeAPIKeyPlace, "Origin"},
		{"an empty origin", func(r *authhandlers.Request) { r.HTTP.Header["Origin"] = []string{""} }, authhandlers.CodeAPIKeyPlace, "Origin"},
		{"a browser", func(r *authhandlers.Request) { r.HTTP.Header.Set("Sec-Fetch-Mode", "cors") }, authhandlers.CodeAPIKeyPlace, "Sec-Fetch"},
		{"a cookie of ours", func(r *authhandlers.Request) {
			r.HTTP.AddCookie(&http.Cookie{Name: "__Host-catflap", Value: "x"})
		}, authhandlers.CodeAPIKeyPlace, "cookie"},
		{"another cookie", func(r *authhandlers.Request) { r.HTTP.AddCookie(&http.Cookie{Name: "lb", Value: "x"}) }, "ok", ""},
		{"the legacy header", func(r *authhandlers.Request) { r.Credential.Carrier = authhandlers.CarrierLegacyHeader }, "ok", ""},
	} {
		r := onBehalf(shop.Text, "ada")
		c.change(r)
		_, err := l.ask(r)
		if got := codeOf(err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if of, ok := err.(*authhandlers.Rejection); ok && !strings.Contains(of.Hint, c.hint) { //nolint:errorlint // it is the handler's own
			t.Errorf("%s: the hint %q does not say %q", c.name, of.Hint, c.hint)
		}
	}
}

// FuzzOnBehalfOf: two people of two keys, or of one key and its owner, never have one id,
// one issuer and subject, or one key.
func FuzzOnBehalfOf(f *testing.F) {
	for _, s := range [][2]string{{"alice", "alice"}, {"a", "a "}, {"a:b", "a~3ab"}, {"../x", "x"}, {"shop", "blog:shop"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		l := newLab(t)
		shop := l.add("shop", func(e *keyfile.Entry) { e.ActsFor = "shop" })
		blog := l.add("blog", func(e *keyfile.Entry) { e.ActsFor = "blog" })
		owner := l.add("shop", nil)
		c := l.chain(t)
		seen := map[string]string{}
		for _, r := range []struct{ who, key, user string }{
			{"a of shop " + a, shop.Text, a}, {"a of shop " + b, shop.Text, b}, {"a of blog " + a, blog.Text, a}, {"the owner", owner.Text, a},
		} {
			u, err := c.Authenticate(t.Context(), onBehalf(r.key, r.user))
			if err != nil {
				continue
			}
			for _, name := range []string{u.ID, u.Key(), u.Issuer + "\x00" + u.Subject} {
				if other, taken := seen[name]; taken && other != r.who {
					t.Errorf("%q and %q are both %q", other, r.who, name)
				}
				seen[name] = r.who
			}
		}
	})
}

// TestUserIDsOfVectors: each row of the table is, of a key with its alias, the id that the
// table says.
func TestUserIDsOfVectors(t *testing.T) {
	l, keys, tried := newLab(t), map[string]string{}, 0
	c := l.chain(t)
	for _, row := range authtest.ReadUserIDs(t).Rows {
		if row.Claim == nil {
			continue
		}
		want, alias := row.UserID, row.Alias
		if alias == "" { // which no key has
			alias = "any"
			want, _ = authhandlers.UserID(alias, *row.Claim)
		}
		if keys[alias] == "" {
			keys[alias] = l.add(alias, func(e *keyfile.Entry) { e.ActsFor = alias }).Text
		}
		tried++
		u, err := c.Authenticate(t.Context(), onBehalf(keys[alias], *row.Claim))
		switch {
		case row.Expect == "accept" && (err != nil || u.ID != want):
			t.Errorf("%s: %+v %v, want %s", row.Name, u, err, want)
		case row.Expect != "accept" && codeOf(err) != authhandlers.CodeUserIDHeader:
			t.Errorf("%s: %+v %v, want a refusal", row.Name, u, err)
		}
	}
	if tried < 80 {
		t.Errorf("only %d rows", tried)
	}
}
