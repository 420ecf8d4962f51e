package authhandlers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake answers what it is told to, and counts.
type fake struct {
	u     *authhandlers.AuthUserInfo
	err   error
	panic any
	asked int
}

func (f *fake) Authenticate(context.Context, *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	f.asked++
	if f.panic != nil {
		panic(f.panic)
	}
	return f.u, f.err
}

func now() time.Time { return time.Unix(1_700_000_000, 0) }

func alice() *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{ID: "forged", Handler: "forged", Issuer: "i", Subject: "alice"}
}

func newChain(t *testing.T, links ...authhandlers.Link) *authhandlers.Chain {
	t.Helper()
	c, err := authhandlers.NewChain(now, links...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChain(t *testing.T) {
	pass := authhandlers.ErrNoCredential
	refused := &authhandlers.Rejection{Code: authhandlers.CodeBadSignature, Hint: "no"}
	fault := errors.New("unreachable")
	token := &authhandlers.Credential{Scheme: "bearer", Value: "t"}
	type answer struct {
		u     *authhandlers.AuthUserInfo
		err   error
		panic any
	}
	expired := alice()
	expired.Expiry = now()
	fresh := alice()
	fresh.Expiry = now().Add(time.Nanosecond)
	nobody := alice()
	nobody.Subject = ""
	for _, c := range []struct {
		name       string
		credential *authhandlers.Credential
		answers    []answer
		want       string // the id, or the code, or "fault"
		asked      string // how often each was asked
	}{
		{"the first", token, []answer{{u: alice()}, {u: alice()}}, "h0:alice", "10"},
		{"the second", token, []answer{{err: pass}, {u: alice()}}, "h1:alice", "11"},
		{"passed on with a reason", token, []answer{{err: fmt.Errorf("%w: other", pass)}, {u: alice()}}, "h1:alice", "11"},
		{"a refusal ends it", token, []answer{{err: refused}, {u: alice()}}, "bad_signature", "10"},
		{"a wrapped refusal ends it", token, []answer{{err: fmt.Errorf("x: %w", refused)}, {u: alice()}}, "bad_signature", "10"},
		{"a fault ends it", token, []answer{{err: fault}, {u: alice()}}, "fault", "10"},
		{"busy ends it", token, []answer{{err: authhandlers.ErrBusy}, {u: alice()}}, "fault", "10"},
		{"a panic ends it", token, []answer{{panic: "x"}, {u: alice()}}, "fault", "10"},
		{"a runtime panic ends it", token, []answer{{panic: errors.New("x")}, {u: alice()}}, "fault", "10"},
		{"no answer at all", token, []answer{{}, {u: alice()}}, "fault", "10"},
		{"nobody's", token, []answer{{err: pass}, {err: pass}}, "unknown_credential", "11"},
		{"nobody's, and no credential", nil, []answer{{err: pass}, {err: pass}}, "missing_credential", "11"},
		{"no handlers", token, nil, "unknown_credential", ""},
		{"expired", token, []answer{{u: expired}, {u: alice()}}, "token_expired", "10"},
		{"not yet expired", token, []answer{{u: fresh}}, "h0:alice", "1"},
		{"no subject", token, []answer{{u: nobody}, {u: alice()}}, "invalid_user_id", "10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var links []authhandlers.Link
			var fakes []*fake
			for i, a := range c.answers {
				f := &fake{u: a.u, err: a.err, panic: a.panic}
				fakes = append(fakes, f)
				name := fmt.Sprint("h", i)
				links = append(links, authhandlers.Link{Name: name, Alias: name, Handler: f})
			}
			u, err := newChain(t, links...).Authenticate(t.Context(), &authhandlers.Request{Credential: c.credential})
			got := "fault"
			var r *authhandlers.Rejection
			switch {
			case err == nil:
				got = u.ID
				if u.Handler != strings.Split(u.ID, ":")[0] {
					t.Errorf("handler %q", u.Handler)
				}
			case errors.As(err, &r):
				got = string(r.Code)
				if r.Hint == "" {
					t.Error("no hint")
				}
			}
			asked := ""
			for _, f := range fakes {
				asked += fmt.Sprint(f.asked)
			}
			if got != c.want || asked != c.asked {
				t.Errorf("%q, asked %s; want %q, asked %s: %v", got, asked, c.want, c.asked, err)
			}
			for _, a := range c.answers {
				if a.u != nil && a.u.ID != "forged" {
					t.Error("the handler's own value was changed")
				}
			}
		})
	}
}

func TestChainPermissions(t *testing.T) {
	own := alice()
	own.Permissions = []string{"own"}
	for _, c := range []struct {
		name string
		u    *authhandlers.AuthUserInfo
		link []string
		want string
	}{
		{"none", alice(), nil, "[] true"},
		{"the person's own", own, nil, "[own] false"},
		{"the handler's", alice(), []string{"link"}, "[link] false"},
		{"the handler's instead of the person's own", own, []string{"link"}, "[link] false"},
		{"the handler grants nothing", own, []string{}, "[] false"},
	} {
		u, err := newChain(t, authhandlers.Link{Name: "h", Handler: &fake{u: c.u}, Permissions: c.link}).
			Authenticate(t.Context(), &authhandlers.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(u.Permissions, u.Permissions == nil); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestNewChainRefuses(t *testing.T) {
	h := &fake{}
	for name, links := range map[string][]authhandlers.Link{
		"no name":      {{Handler: h}},
		"no handler":   {{Name: "a"}},
		"a name twice": {{Name: "a", Handler: h}, {Name: "a", Handler: h}},
		"a bad alias":  {{Name: "a", Alias: "A b", Handler: h}},
	} {
		if _, err := authhandlers.NewChain(now, links...); err == nil {
			t.Errorf("%s: a chain", name)
		}
	}
	links := []authhandlers.Link{{Name: "a", Handler: h}}
	c := newChain(t, links...)
	links[0].Name = "changed"
	if c.Links()[0].Name != "a" {
		t.Error("the chain can be changed from outside")
	}
}

// TestPanicShowsNothing holds that a handler's panic puts no credential into the log.
func TestPanicShowsNothing(t *testing.T) {
	for _, value := range []any{"secret-token", errors.New("secret-token"), []byte("secret-token"), fmt.Errorf("x: %w", errors.New("secret-token"))} {
		_, err := newChain(t, authhandlers.Link{Name: "h", Handler: &fake{panic: value}}).
			Authenticate(t.Context(), &authhandlers.Request{})
		if err == nil || strings.Contains(err.Error(), "secret-token") || !strings.Contains(err.Error(), "handler h panicked") {
			t.Errorf("%T: %v", value, err)
		}
	}
	_, err := newChain(t, authhandlers.Link{Name: "h", Handler: (*fake)(nil)}).Authenticate(t.Context(), &authhandlers.Request{})
	if err == nil || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("what the runtime says is worth knowing: %v", err)
	}
}

// TestChainNeverMixes asks for many people at one time.
func TestChainNeverMixes(t *testing.T) {
	byToken := handlerFunc(func(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
		return &authhandlers.AuthUserInfo{Issuer: "i", Subject: r.Credential.Value}, nil
	})
	c := newChain(t, authhandlers.Link{Name: "h", Handler: byToken})
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			subject := fmt.Sprint("person-", n)
			r := &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: subject}}
			for range 1000 {
				if u, err := c.Authenticate(t.Context(), r); err != nil || u.ID != subject {
					t.Errorf("%s is %v, %v", subject, u, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

type handlerFunc func(context.Context, *authhandlers.Request) (*authhandlers.AuthUserInfo, error)

func (f handlerFunc) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return f(ctx, r)
}

func TestRevocationMatches(t *testing.T) {
	u := &authhandlers.AuthUserInfo{Issuer: "i", Subject: "s", SessionID: "x"}
	for _, c := range []struct {
		r    authhandlers.Revocation
		want bool
	}{
		{authhandlers.Revocation{}, false},
		{authhandlers.Revocation{Reason: "logout"}, false},
		{authhandlers.Revocation{Issuer: "i"}, true},
		{authhandlers.Revocation{Issuer: "i", Subject: "s"}, true},
		{authhandlers.Revocation{Issuer: "i", Subject: "s", SessionID: "x"}, true},
		{authhandlers.Revocation{Issuer: "j", Subject: "s", SessionID: "x"}, false},
		{authhandlers.Revocation{Issuer: "i", Subject: "t"}, false},
		{authhandlers.Revocation{Issuer: "i", SessionID: "y"}, false},
	} {
		if got := c.r.Matches(u); got != c.want {
			t.Errorf("%+v: %v", c.r, got)
		}
	}
	loose, sub := *u, "s"
	loose.Subject, loose.Sub, loose.SessionID = "s@example.com", &sub, ""
	for _, c := range []struct {
		r    authhandlers.Revocation
		want bool
	}{
		{authhandlers.Revocation{Issuer: "i", Subject: "s"}, true},
		{authhandlers.Revocation{Issuer: "i", Subject: "s", SessionID: "x"}, true}, // it may be of that session
		{authhandlers.Revocation{Issuer: "i", SessionID: "x"}, false},
		{authhandlers.Revocation{Issuer: "i", Subject: "t", SessionID: "x"}, false},
	} {
		if got := c.r.Matches(&loose); got != c.want {
			t.Errorf("without a session, %+v: %v", c.r, got)
		}
	}
}

func TestRejection(t *testing.T) {
	cause := errors.New("cause")
	r := authhandlers.Reject(authhandlers.CodeBadSignature, "hint", "more: %w", cause)
	if r.Error() != "bad_signature: more: cause" || !errors.Is(r, cause) || errors.Is(r, authhandlers.ErrNoCredential) {
		t.Error(r)
	}
	if got := (&authhandlers.Rejection{Code: "c"}).Error(); got != "c" {
		t.Error(got)
	}
}

// TestDenied: whoever is denied comes in by no credential of theirs. Signing in again is
// another matter.
func TestDenied(t *testing.T) {
	over := &authhandlers.Rejection{Code: "signed_out"}
	h := &fake{u: alice()}
	c := newChain(t, authhandlers.Link{Name: "h", Handler: h}).Denying(func(u *authhandlers.AuthUserInfo) error {
		if u.Subject == "alice" && u.ID == "alice" {
			return over
		}
		return nil
	})
	if _, err := c.Authenticate(t.Context(), &authhandlers.Request{}); !errors.Is(err, over) {
		t.Errorf("%v", err)
	}
	u := alice()
	u.ID, u.Handler = "alice", "h"
	if _, err := c.Rejudge(u); !errors.Is(err, over) {
		t.Errorf("judged again: %v", err)
	}
	h.u = &authhandlers.AuthUserInfo{Issuer: "i", Subject: "bob"}
	if _, err := c.Authenticate(t.Context(), &authhandlers.Request{}); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}
