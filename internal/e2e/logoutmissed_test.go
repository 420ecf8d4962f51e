package e2e

import (
	"fmt"
	"net/url"
	"os"
	"testing"
)

// TestALogoutThatACatflapHasMissed: its way to Redis is cut while somebody is logged out
// at another. What a bearer token has open there ends when it is back.
func TestALogoutThatACatflapHasMissed(t *testing.T) {
	t.Parallel()
	idp, cat, r, dir := startProvider(t), startCat(t), startRedis(t), t.TempDir()
	way := newTap(t, r.addr)
	key := "a key of more than thirty-two bytes, for tests"
	plant(key)
	for name, content := range map[string]string{"key": key, "password": r.password} {
		if err := os.WriteFile(dir+"/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	by := func(redis string) config {
		c := idp.config(cat.tap.addr)
		c.desks = []desk{idp.desk("company")}
		c.websocket = "session: separate" // with a shared one, the way to the Cat is lost as well
		c.sessions = fmt.Sprintf("store: redis\nredis: {url: \"redis://%s/0\", password: {file: %s/password}}\nkeys: [{file: %s/key}]", redis, dir, dir)
		return c
	}
	a := start(t, by(r.addr))
	second := by(way.addr)
	second.publicURL = publicURL(a.addr)
	b := start(t, second)
	idp.control("backchannel?uri=" + url.QueryEscape("http://"+a.addr+"/_catflap/backchannel-logout/company"))
	newVisitor(t, publicURL(a.addr)).signIn(idp, "company", "bob")
	token := idp.signIn("catflap", "bob").Access
	s, bystander := mustChat(t, b, token), mustChat(t, b, idp.signIn("catflap", "carol").Access)
	way.shut()
	idp.control("logout?user=bob")
	await(t, "the logout has come", func() bool { return asked(t, a, token) == 401 }, a.log.String)
	if said, err := turn(s, "still here?"); err != nil || said.Type != "chat" {
		t.Errorf("before word of it can have come: %v %v", said, err)
	}
	way.open()
	if code := closedWith(s); code != 4401 {
		t.Errorf("closed with %d", code)
	}
	if said, err := turn(bystander, "and I?"); err != nil || said.Type != "chat" {
		t.Errorf("somebody else's socket: %v %v", said, err)
	}
}
