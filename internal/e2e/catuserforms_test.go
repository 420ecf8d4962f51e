package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
)

// post sends a form as a page of an origin would; no origin is a program.
func (v *visitor) post(path, origin string, form url.Values) *http.Response {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.public.String()+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := visitOnce(v.client, req)
	if err != nil {
		v.t.Fatal(err)
	}
	return res
}

func ownForm(name, password, back string) url.Values {
	return url.Values{"username": {name}, "password": {password}, "referer": {back}}
}

// TestCatUsersSignInByForm: our page with a form, and the Cat's own address of one, lead
// to a session of ours; no page of another site signs anybody in, and no way leads away.
func TestCatUsersSignInByForm(t *testing.T) {
	t.Parallel()
	a := startOwnUsers(t, false, rightsRules)
	public := publicURL(a.addr)
	boss := newVisitor(t, public)
	page, err := visitOnce(boss.client, mustRequest(t, public+"/admin/"))
	if err != nil || page.StatusCode != 302 || !strings.HasPrefix(page.Header.Get("Location"), "/_catflap/login") {
		t.Fatalf("%v %v", page, err)
	}
	page, err = visitOnce(boss.client, mustRequest(t, public+page.Header.Get("Location")))
	body, _ := io.ReadAll(page.Body)
	if err != nil || page.StatusCode != 200 || !strings.Contains(string(body), `autocomplete="current-password"`) || !strings.Contains(string(body), "People of the Cat") {
		t.Fatalf("%d %s", page.StatusCode, body)
	}
	for name, c := range map[string]struct {
		path, origin string
		form         url.Values
		status       int
	}{
		"another site":          {"/_catflap/login", "https://evil.example", ownForm("boss", ownPassword, "/admin/"), 403},
		"another site's frame":  {"/auth/login", "null", ownForm("boss", ownPassword, "/admin/"), 403},
		"who says nothing":      {"/auth/login", "", ownForm("boss", ownPassword, "/admin/"), 403},
		"a field more":          {"/auth/login", public, url.Values{"username": {"boss"}, "password": {ownPassword}, "user_id": {"admin"}}, 400},
		"a field twice":         {"/auth/login", public, url.Values{"username": {"boss", "carla"}, "password": {ownPassword}}, 400},
		"no password":           {"/auth/login", public, ownForm("boss", "", "/"), 400},
		"too long":              {"/auth/login", public, ownForm("boss", strings.Repeat("x", 9000), "/"), 400},
		"a wrong password":      {"/_catflap/login", public, ownForm("boss", "wrong", "/admin/"), 403},
		"with another's cookie": {"/auth/logout", public, ownForm("boss", ownPassword, "/admin/"), 404},
	} {
		res := newVisitor(t, public).post(c.path, c.origin, c.form)
		if res.StatusCode != c.status || slices.ContainsFunc(res.Cookies(), func(c *http.Cookie) bool { return strings.Contains(c.Name, "session") && c.Value != "" }) {
			t.Errorf("%s: %d %v", name, res.StatusCode, res.Cookies())
		}
	}
	res := boss.post("/auth/login", public, ownForm("boss", ownPassword, "https://evil.example/"))
	if got := res.Header.Get("Location"); res.StatusCode != 303 || strings.Contains(got, "evil") {
		t.Errorf("the way back leads to %d %q", res.StatusCode, got)
	}
	if got := boss.is(a.addr); got != "boss" {
		t.Fatalf("signed in as %q", got)
	}
	panel, err := visitOnce(boss.client, mustRequest(t, public+"/admin/"))
	if err != nil || panel.StatusCode != 200 || !strings.Contains(strings.Join(panel.Header["Set-Cookie"], ""), "ccat_user_token=") {
		t.Errorf("the panel: %v %v", panel.StatusCode, panel.Header["Set-Cookie"])
	}
	if status, text := boss.send(a.addr, "GET", "/users/", ""); status != 200 || !strings.Contains(text, `"carla"`) {
		t.Errorf("the list of users: %d %s", status, text)
	}
	chat := boss.socket(a.addr)
	if got := overSocket(t, chat); got != "55 of boss" {
		t.Errorf("over the socket: %s", got)
	}
	closed := ending(chat)
	other := a.token(t, "boss")
	if status, text := a.ask(t, "DELETE /users/"+a.boss, other, ""); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	a.within(t, "out, with the session and its socket", func() bool {
		status, _ := boss.send(a.addr, "GET", "/users/", "")
		return status == 401 && closed() == 4401
	})
}

func mustRequest(t testing.TB, at string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestNamesAreNotToldApart: a wrong password and a name that nobody has get one answer,
// which takes as long, and the Cat is asked for both.
func TestNamesAreNotToldApart(t *testing.T) {
	t.Parallel()
	plant(catSecret)
	cat := serveCat(t, "127.0.0.1:0", standin.Options{
		APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: catSecret, FailedLogin: 100 * time.Millisecond, CheckPassword: 400 * time.Millisecond,
	})
	a := &atCat{catBehindTap: cat}
	a.carla = cat.AddAccount("carla", ownPassword, standin.BasePermissions())
	a.flap = start(t, config{cat: cat.tap.addr, handlersMore: ownHandler, env: []string{"OWN_SECRET=" + catSecret}})
	told := map[string]string{}
	for name, user := range map[string]string{"there": "carla", "nobody": "mallory", "awkward": "'; drop\u2028\"<b>"} {
		began := time.Now()
		got := a.login(t, user, "a wrong one")
		if took := time.Since(began); got.status != 403 || took < 1500*time.Millisecond {
			t.Errorf("%s: %d after %s", name, got.status, took)
		}
		var body struct{ Detail map[string]string }
		_ = json.Unmarshal(got.body, &body)
		delete(body.Detail, "request_id")
		text, _ := json.Marshal(body.Detail)
		told[name] = string(text) + strings.Join(got.header["Content-Type"], "")
		if strings.Contains(string(got.body), user) || !strings.Contains(string(text), "Invalid Credentials") {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	if told["there"] != told["nobody"] || told["there"] != told["awkward"] {
		t.Errorf("the answers differ: %q", told)
	}
	a.token(t, "carla")
	a.await("told of in the audit log", func() bool {
		said := a.log.String()
		return strings.Contains(said, `"event":"signed_in"`) && strings.Contains(said, `"code":"wrong_password"`)
	})
	if said := a.log.String(); strings.Contains(said, "mallory") || strings.Contains(said, "a wrong one") {
		t.Error("what a stranger typed is in the log")
	}
}

// TestGuessesAreBounded: guesses from one network end soon, whatever names they try, and
// a name that is tried from elsewhere does not lock out who has been here before.
func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	a := startOwnUsers(t, false, rightsRules)
	a.token(t, "carla")
	statuses := make(chan int, 24)
	for i := range 24 {
		go func() {
			var status int
			if i%2 == 0 {
				status = a.login(t, "carla", "wrong").status
			} else {
				status = a.login(t, "mallory", "wrong").status
			}
			statuses <- status
		}()
	}
	count := map[int]int{}
	for range 24 {
		count[<-statuses]++
	}
	if count[403] > 12 || count[403]+count[429]+count[503] != 24 || count[429]+count[503] < 8 {
		t.Errorf("%v", count)
	}
}
