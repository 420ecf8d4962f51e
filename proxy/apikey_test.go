package proxy

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// TestKeysInAPathAreNotLogged: a key that a client has put into the path is a secret
// there, too.
func TestKeysInAPathAreNotLogged(t *testing.T) {
	for path, want := range map[string]string{
		"/ws/catflap_abcdefgh_secret": "/ws/[token]", "/x/CATFLAP_ABC/y": "/x/[token]/y", "/_catflap/session": "/_catflap/session",
		"/ws/token=catflap_abc": "/ws/[token]", "/ws/eyJx": "/ws/[token]",
	} {
		if got := loggablePath(path); got != want || strings.Contains(got, "secret") {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
}

// onlyKeys is a handler whose keys act for the person that the query names.
type onlyKeys struct{}

func (onlyKeys) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.IsKey() {
		return nil, authhandlers.ErrNoCredential
	}
	return &authhandlers.AuthUserInfo{Issuer: "keys:shop", Subject: r.HTTP.URL.RawQuery, Permissions: []string{"admin"}}, nil
}

func (onlyKeys) ActsFor(u *authhandlers.AuthUserInfo) string {
	return strings.TrimPrefix(u.Issuer, "keys:")
}

// TestPeopleOfOneKeyShareABound: a server can name any number of people. However many,
// they have one address's share of what is under way, and others keep theirs.
func TestPeopleOfOneKeyShareABound(t *testing.T) {
	l, begun, let := busyLab(t, func(o *Options) {
		var err error
		o.PerAddress = 2
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // so that the address itself has no share
		o.Chain, err = authhandlers.NewChain(time.Now, authhandlers.Link{Name: "bots", Alias: "bots", Handler: onlyKeys{}}, authhandlers.Link{Name: "staff", Alias: "staff", Handler: tokens{}})
		if err != nil {
			t.Fatal(err)
		}
	})
	const key = "catflap_key"
	ended := make(chan int, 2)
	for _, who := range []string{"a", "b"} {
		req := l.request(t, "GET", "/custom/slow?"+who, key, "")
		go func() {
			resp, err := l.front.Client().Transport.RoundTrip(req)
			if err != nil {
				ended <- 0
				return
			}
			_ = resp.Body.Close()
			ended <- resp.StatusCode
		}()
		<-begun
	}
	if status, body := l.do(t, "POST", "/message?c", key, "{}"); status != http.StatusTooManyRequests {
		t.Errorf("a third person of the key: %d %s", status, body)
	}
	if status, body := l.do(t, "POST", "/message", "alice", "{}"); status != http.StatusOK {
		t.Errorf("somebody else: %d %s", status, body)
	}
	let()
	for range 2 {
		if status := <-ended; status != http.StatusOK {
			t.Errorf("a request of before: %d", status)
		}
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		status, _ := l.do(t, "POST", "/message?c", key, "{}")
		if status == http.StatusOK {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("their places are not free again: %d", status)
		}
	}
}
