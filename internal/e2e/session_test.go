package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// visitor is somebody with a browser that can't run scripts, at one Catflap or
// another that has the same public address.
type visitor struct {
	t      testing.TB
	client *http.Client
	public *url.URL
}

func newVisitor(t testing.TB, public string) *visitor {
	t.Helper()
	u, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, newClient(t), u}
}

// signIn signs in at the provider, and plants what the browser has got: nobody else
// may ever see it.
func (v *visitor) signIn(provider issuing, desk, user string) {
	v.t.Helper()
	resp := signInAt(v.t, provider, v.client, v.public.String()+"/_catflap/login?idp="+desk+"&return_to=/_catflap_", user)
	if resp.Request.URL.Path != "/_catflap_" {
		v.t.Fatalf("%s ended at %s with %d, %s", user, resp.Request.URL.Path, resp.StatusCode, bodyOf(v.t, resp))
	}
	for _, c := range v.client.Jar.Cookies(v.public) {
		if len(c.Value) > 40 { // the remembered choice is no secret
			plant(c.Value)
		}
	}
}

// cookies is what the browser sends.
func (v *visitor) cookies() string {
	var l []string
	for _, c := range v.client.Jar.Cookies(v.public) {
		l = append(l, c.Name+"="+c.Value)
	}
	return strings.Join(l, "; ")
}

// send is a request of a page of our own, to the Catflap at addr.
func (v *visitor) send(addr, method, path, body string) (int, string) {
	status, text, err := v.try(addr, method, path, body)
	if err != nil {
		v.t.Error(err)
	}
	return status, text
}

func (v *visitor) try(addr, method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(v.t.Context(), method, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Host = v.public.Host
	req.Header.Set("Cookie", v.cookies())
	req.Header.Set("Origin", v.public.String())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "cors")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/_catflap/logout") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// is asks who is signed in; empty for nobody, and "503" and the like for anything else.
func (v *visitor) is(addr string) string {
	v.t.Helper()
	status, text := v.send(addr, "GET", "/_catflap/session", "")
	var a struct {
		SignedIn bool `json:"signed_in"`
		User     struct{ ID string }
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		v.t.Fatalf("%d %s", status, text)
	}
	if status != 200 {
		return fmt.Sprint(status)
	}
	return a.User.ID
}

// socket opens a WebSocket with the cookie alone.
func (v *visitor) socket(addr string) *websocket.Conn {
	v.t.Helper()
	d := websocket.Dialer{HandshakeTimeout: patience}
	c, resp, err := d.Dial("ws://"+addr+"/ws/user", http.Header{"Cookie": {v.cookies()}, "Origin": {v.public.String()}, "Host": {v.public.Host}})
	if err != nil {
		v.t.Fatalf("%v %v", err, resp)
	}
	v.t.Cleanup(func() { _ = c.Close() })
	return c
}

// closed waits for the close of a socket.
func closed(t testing.TB, c *websocket.Conn, within time.Duration) *websocket.CloseError {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(within))
	for {
		_, _, err := c.ReadMessage()
		if e, ok := errors.AsType[*websocket.CloseError](err); ok {
			return e
		}
		if err != nil {
			t.Fatalf("no close within %v: %v", within, err)
		}
	}
}

// TestSignInAtRealProviders: who signs in, what they may, and that nothing of it
// reaches the Cat.
func TestSignInAtRealProviders(t *testing.T) {
	t.Parallel()
	idp, lean, kc, cat := startProvider(t), startProvider(t, "LEAN_ID_TOKEN=1"), startKeycloak(t), startCat(t)
	leanDesk := lean.desk("lean")
	// A token for a resource opens no userinfo; an opaque one does.
	leanDesk.clientID, leanDesk.secret = "catflap-opaque", "catflap-opaque-secret"
	leanDesk.more += "\nuserinfo: true"
	f := start(t, config{cat: cat.tap.addr, desks: []desk{idp.desk("company"), kc.desk("partners"), leanDesk}})
	boss := kc.newPerson("cat-admins")
	for _, c := range []struct {
		provider   issuing
		desk, user string
		sub        string
		plugins    int
	}{
		{idp, "company", "alice", aliceSub, 200},
		{idp, "company", "bob", bobSub, 403},
		{kc, "partners", boss, kc.subject(boss), 200},
		{kc, "partners", "bob", bobSub, 403},
		{lean, "lean", "alice", aliceSub, 200},
		{lean, "lean", "carol", "ca401000-0000-4000-8000-000000000003", 403},
	} {
		t.Run(c.desk+" "+c.user, func(t *testing.T) {
			v := newVisitor(t, publicURL(f.addr))
			v.signIn(c.provider, c.desk, c.user)
			id := c.desk + ":" + c.sub
			if who := v.is(f.addr); who != id {
				t.Fatalf("signed in as %q, want %q", who, id)
			}
			cat.tap.take()
			if status, text := v.send(f.addr, "POST", "/message", `{"text":"hi","user_id":"admin"}`); status != 200 {
				t.Fatalf("%d %s", status, text)
			}
			exactlyOne(t, cat.tap.take(), id)
			if status, text := v.send(f.addr, "GET", "/plugins/", ""); status != c.plugins {
				t.Errorf("%d %s", status, text)
			}
			expectTurn(t, v.socket(f.addr), "hello from "+c.user, id)
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// couple is two Catflaps with one Redis, one key and one public address.
type couple struct {
	redis *redis
	key   string
	a, b  *flap
}

func startCouple(t testing.TB, cat string, desks ...desk) *couple {
	t.Helper()
	return startCoupleOf(t, config{cat: cat, desks: desks})
}

func startCoupleOf(t testing.TB, both config) *couple {
	t.Helper()
	c := &couple{redis: startRedis(t), key: "a key of more than thirty-two bytes, for tests"}
	secret := t.TempDir()
	for name, content := range map[string]string{"key": c.key, "password": c.redis.password} {
		if err := os.WriteFile(secret+"/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plant(c.key)
	both.sessions = fmt.Sprintf("store: redis\nredis: {url: \"redis://%s/0\", password: {file: %s/password}}\nkeys: [{file: %s/key}]", c.redis.addr, secret, secret)
	c.a = start(t, both)
	both.publicURL = publicURL(c.a.addr)
	c.b = start(t, both)
	return c
}

// TestOneRenewalForTwoCatflaps: fifty requests at once find a login that is about to
// end; the provider, which ends a grant whose refresh token comes twice, is asked once.
func TestOneRenewalForTwoCatflaps(t *testing.T) {
	t.Parallel()
	for name, provider := range map[string]func(t *testing.T) (issuing, desk, func() int, string){
		"oidc-provider": func(t *testing.T) (issuing, desk, func() int, string) {
			p := startProvider(t, "ACCESS_TTL=4")
			return p, p.desk("company"), func() int { return p.count("/token refresh_token") }, "company:" + bobSub
		},
		"Keycloak": func(t *testing.T) (issuing, desk, func() int, string) {
			k := startKeycloak(t)
			k.setClient(func(client jsonObject) { client["attributes"].(jsonObject)["access.token.lifespan"] = "4" })
			counted := countRenewals(t, k)
			d := k.desk("company")
			d.provider = counted
			return counted, d, counted.refreshes, "company:" + bobSub
		},
	} {
		t.Run(name, func(t *testing.T) {
			idp, d, refreshes, id := provider(t)
			cat := startCat(t)
			c := startCouple(t, cat.tap.addr, d)
			v := newVisitor(t, publicURL(c.a.addr))
			v.signIn(idp, "company", "bob")
			if who := v.is(c.b.addr); who != id {
				t.Fatalf("the other Catflap says %q", who)
			}
			for round := 1; round <= 2; round++ {
				before, begun := refreshes(), time.Now()
				await(t, "the login about to end", func() bool { return time.Since(begun) > 3200*time.Millisecond }, func() string { return "" })
				var wg sync.WaitGroup
				for i := range 50 {
					f := []*flap{c.a, c.b}[i%2]
					wg.Go(func() {
						if status, text := v.send(f.addr, "GET", "/", ""); status != 200 {
							t.Errorf("%d %s", status, text)
						}
					})
				}
				wg.Wait()
				if n := refreshes() - before; n != 1 {
					t.Errorf("round %d: the provider was asked %d times", round, n)
				}
			}
		})
	}
}

// counter stands before a Keycloak, whose issuer is whatever address it is asked at,
// and counts renewals. It can be told to answer late, or not at all.
type counter struct {
	at   *url.URL
	mu   sync.Mutex
	n    int
	late time.Duration
	down bool
}

func (c *counter) issuer() string { return c.at.String() + "/realms/" + parts.KeycloakRealm }

func (c *counter) refreshes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// set changes how the token endpoint answers.
func (c *counter) set(late time.Duration, down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late, c.down = late, down
}

func countRenewals(t testing.TB, k *keycloak) *counter {
	t.Helper()
	c := &counter{}
	behind := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
		pr.Out.URL.Scheme, pr.Out.URL.Host = "http", k.server.addr // Host stays what the client said
	}, ErrorLog: log.New(io.Discard, "", 0)}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/protocol/openid-connect/token") {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			c.mu.Lock()
			if bytes.Contains(body, []byte("grant_type=refresh_token")) {
				c.n++
			}
			late, down := c.late, c.down
			c.mu.Unlock()
			if down {
				http.Error(w, "down", http.StatusBadGateway)
				return
			}
			select {
			case <-time.After(late):
			case <-r.Context().Done():
			}
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	var err error
	if c.at, err = url.Parse(front.URL); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDisabledPerson: an account that is locked at the provider is out with the next
// renewal, its socket too.
func TestDisabledPerson(t *testing.T) {
	t.Parallel()
	k, cat := startKeycloak(t), startCat(t)
	k.setClient(func(client jsonObject) { client["attributes"].(jsonObject)["access.token.lifespan"] = "3" })
	c := startCouple(t, cat.tap.addr, k.desk("company"))
	user := k.newPerson("cat-users")
	v := newVisitor(t, publicURL(c.a.addr))
	v.signIn(k, "company", user)
	socket := v.socket(c.a.addr)
	k.disable(user)
	if e := closed(t, socket, patience); e.Code != 4401 || e.Text == "" {
		t.Errorf("closed with %d %q", e.Code, e.Text)
	}
	for _, f := range []*flap{c.a, c.b} {
		if who := v.is(f.addr); who != "" {
			t.Errorf("still signed in as %q", who)
		}
	}
}

// TestGroupsAreReadAnew: who joins or leaves a group has or loses its rights with the
// next renewal.
func TestGroupsAreReadAnew(t *testing.T) {
	t.Parallel()
	k, cat := startKeycloak(t), startCat(t)
	k.setClient(func(client jsonObject) { client["attributes"].(jsonObject)["access.token.lifespan"] = "3" })
	f := start(t, config{cat: cat.tap.addr, desks: []desk{k.desk("company")}})
	user := k.newPerson("cat-admins")
	v := newVisitor(t, publicURL(f.addr))
	v.signIn(k, "company", user)
	if status, text := v.send(f.addr, "GET", "/plugins/", ""); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	k.leaveAll(user)
	await(t, "no administrator any more", func() bool {
		status, _ := v.send(f.addr, "GET", "/plugins/", "")
		return status == 403
	}, f.log.String)
	if who := v.is(f.addr); who == "" {
		t.Error("the session has ended")
	}
}

// TestLogoutBothWays: signing out here, at the provider, and everywhere, with a socket
// open at each of two Catflaps.
func TestLogoutBothWays(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	idp, k := startProvider(t), startKeycloak(t)
	c := startCouple(t, cat.tap.addr, idp.desk("company"), k.desk("partners"))
	user := k.newPerson()
	idp.control("backchannel?uri=" + url.QueryEscape("http://"+c.a.addr+"/_catflap/backchannel-logout/company"))
	k.setBackchannel("http://" + c.b.addr + "/_catflap/backchannel-logout/partners")
	for _, row := range []struct {
		name, desk, user string
		provider         issuing
		end              func(v *visitor) (begun time.Time)
	}{
		{"here", "company", "alice", idp, func(v *visitor) time.Time {
			begun := time.Now()
			status, text := v.send(c.a.addr, "POST", "/_catflap/logout", "")
			var a struct{ Redirect string }
			if err := json.Unmarshal([]byte(text), &a); err != nil || status != 200 || !strings.HasPrefix(a.Redirect, idp.issuer()) {
				v.t.Fatalf("%d %s", status, text)
			}
			u, _ := url.Parse(a.Redirect)
			plant(u.Query().Get("id_token_hint"))
			if resp := signOutAt(v.t, idp, v.client, a.Redirect); resp.Request.URL.Path != "/_catflap/signed-out" || resp.StatusCode != 200 {
				v.t.Errorf("the provider leads to %s with %d", withoutQuery(resp.Request.URL), resp.StatusCode)
			}
			return begun
		}},
		{"at oidc-provider", "company", "bob", idp, func(*visitor) time.Time {
			begun := time.Now()
			idp.control("logout?user=bob")
			return begun
		}},
		{"at Keycloak", "partners", user, k, func(*visitor) time.Time {
			begun := time.Now()
			k.logoutUser(user)
			return begun
		}},
		{"everywhere", "partners", user, k, func(v *visitor) time.Time {
			other := newVisitor(v.t, v.public.String())
			other.signIn(k, "partners", user) // which takes its time on a busy machine
			begun := time.Now()
			if status, text := other.send(c.b.addr, "POST", "/_catflap/logout", "everywhere=1"); status != 200 {
				v.t.Fatalf("%d %s", status, text)
			}
			return begun
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			v, stays := newVisitor(t, publicURL(c.a.addr)), newVisitor(t, publicURL(c.a.addr))
			v.signIn(row.provider, row.desk, row.user)
			stays.signIn(idp, "company", "carol")
			here, bystander := v.socket(c.a.addr), stays.socket(c.b.addr)
			begun := row.end(v)
			if e := closed(t, here, patience); e.Code != 4401 || e.Text == "" {
				t.Errorf("the socket is closed with %d %q", e.Code, e.Text)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("the socket is closed after %v", took)
			}
			for _, f := range []*flap{c.a, c.b} {
				if who := v.is(f.addr); who != "" {
					t.Errorf("still signed in as %q", who)
				}
			}
			if who := stays.is(c.b.addr); who == "" {
				t.Error("somebody else was signed out")
			}
			if s, err := turn(bystander, "still here?"); err != nil || s.Type != "chat" {
				t.Errorf("somebody else's socket: %v %v", s, err)
			}
			_ = bystander.Close()
		})
	}
}

// TestSessionsOutliveAnOutage: a session outlives the provider's outage as long as its tokens
// do, waits then, and goes on when the provider is back.
func TestSessionsOutliveAnOutage(t *testing.T) {
	t.Parallel()
	k, cat := startKeycloak(t), startCat(t)
	k.setClient(func(client jsonObject) { client["attributes"].(jsonObject)["access.token.lifespan"] = "6" })
	counted := countRenewals(t, k)
	d := k.desk("company")
	d.provider = counted
	f := start(t, config{cat: cat.tap.addr, desks: []desk{d}})
	v := newVisitor(t, publicURL(f.addr))
	begun := time.Now() // before the token: how long the sign-in takes is the machine's matter
	v.signIn(counted, "company", "bob")
	counted.set(0, true)
	for time.Since(begun) < 4500*time.Millisecond {
		if status, text := v.send(f.addr, "GET", "/", ""); status != 200 {
			t.Fatalf("after %v: %d %s", time.Since(begun), status, text)
		}
		time.Sleep(50 * time.Millisecond) // not to ask without a pause
	}
	await(t, "the token's end", func() bool { return v.is(f.addr) == "503" }, f.log.String)
	if n := counted.refreshes(); n > 3 {
		t.Errorf("a provider that is down was asked %d times", n)
	}
	counted.set(300*time.Millisecond, false) // back, and slow
	await(t, "back", func() bool { return v.is(f.addr) == "company:"+bobSub }, f.log.String)
}

// TestKeysTurnOverInMidSession: a renewed ID token is signed with a key that Catflap
// has not seen.
func TestKeysTurnOverInMidSession(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t, "ACCESS_TTL=4"), startCat(t)
	f := start(t, config{cat: cat.tap.addr, desks: []desk{idp.desk("company")}})
	v := newVisitor(t, publicURL(f.addr))
	v.signIn(idp, "company", "alice")
	idp.control("rotate?drop=1")
	begun := time.Now()
	await(t, "renewed", func() bool {
		if who := v.is(f.addr); who != "company:"+aliceSub {
			t.Fatalf("after %v: %q", time.Since(begun), who)
		}
		return idp.count("/token refresh_token") >= 2 && time.Since(begun) > 5*time.Second
	}, f.log.String)
}

// TestTheStoreGoesAway: without Redis nobody with a cookie gets in, and nobody is
// signed out by that; tokens go on.
func TestTheStoreGoesAway(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	c := startCouple(t, cat.tap.addr, idp.desk("company"))
	v := newVisitor(t, publicURL(c.a.addr))
	v.signIn(idp, "company", "alice")
	c.redis.stop()
	if who := v.is(c.a.addr); who != "503" {
		t.Errorf("without the store: %q", who)
	}
	if status := c.a.ready(); status != 503 {
		t.Errorf("ready without the store: %d", status)
	}
	if got := asked(t, c.a, alice()); got != 200 {
		t.Errorf("a token without the store: %d", got)
	}
	c.redis.restart(t) // empty
	await(t, "back", func() bool { return v.is(c.a.addr) == "" && c.a.ready() == 200 }, c.a.log.String)
	v.signIn(idp, "company", "alice")
	if who := v.is(c.b.addr); who != "company:"+aliceSub {
		t.Errorf("signed in as %q", who)
	}
}
