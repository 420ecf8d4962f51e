package inquiry_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
)

// desk is a chain of one handler that is a Desk, and its service. All of it lives in a
// bubble, whose time is the clock.
type desk struct {
	*inquiry.Desk
	chain *authhandlers.Chain
	o     inquiry.Options
	env   authhandlers.Env

	mu     sync.Mutex
	answer answers
	asked  atomic.Int64
}

// answers is how a service answers.
type answers = func(credential string) (*inquiry.Answer, error)

// says has the service answer like this from now on.
func (d *desk) says(a answers) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = a
}

func (d *desk) ask(_ context.Context, credential string) (*inquiry.Answer, error) {
	d.asked.Add(1)
	d.mu.Lock()
	answer := d.answer
	d.mu.Unlock()
	return answer(credential)
}

// Authenticate implements authhandlers.AuthHandler.
func (d *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return d.Desk.Authenticate(ctx, r, r.Credential.Value)
}

type handler struct{ *inquiry.Desk }

func newDesk(t *testing.T, change func(*desk)) *desk {
	t.Helper()
	d := &desk{env: newEnv()}
	d.o = inquiry.Options{
		Ask:    d.ask,
		Try:    func(context.Context) error { return nil },
		Notice: 20 * time.Second, Timeout: 5 * time.Second, Stale: 2 * time.Minute, Label: "test",
	}
	d.says(accepts("alice"))
	if change != nil {
		change(d)
	}
	d.open(t)
	return d
}

// open opens the Desk anew, as a reload does.
func (d *desk) open(t *testing.T) {
	t.Helper()
	var err error
	if d.Desk, err = inquiry.Open(t.Context(), d.env, d.o); err != nil {
		t.Fatal(err)
	}
	d.chain, err = authhandlers.NewChain(time.Now, authhandlers.Link{Name: "h", Alias: "h", Handler: &handler{d.Desk}})
	if err != nil {
		t.Fatal(err)
	}
}

func accepts(subject string, groups ...string) answers {
	return func(string) (*inquiry.Answer, error) {
		return &inquiry.Answer{Person: authhandlers.AuthUserInfo{Issuer: "i", Subject: subject, Groups: groups}}, nil
	}
}

func refuses(string) (*inquiry.Answer, error) {
	return nil, authhandlers.Reject(authhandlers.CodeTokenInactive, "no", "no")
}

func fails(string) (*inquiry.Answer, error) { return nil, errors.New("no answer") }

func (d *desk) connect(t *testing.T) *authhandlers.AuthUserInfo {
	t.Helper()
	u, err := d.chain.Authenticate(t.Context(), request("a credential", true))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// watch does what the house does each second, until somebody's state is as wanted or the
// time is over, and returns how long that took.
func (d *desk) watch(u *authhandlers.AuthUserInfo, limit time.Duration, is func(*authhandlers.AuthUserInfo, error) bool) (time.Duration, bool) {
	start, judged := time.Now(), d.chain.Generation()
	for time.Since(start) < limit {
		time.Sleep(time.Second)
		synctest.Wait()
		if g := d.chain.Generation(); g != judged {
			judged = g
			if is(d.chain.Rejudge(u)) {
				return time.Since(start), true
			}
		}
	}
	return limit, false
}

func refusedAs(code authhandlers.Code) func(*authhandlers.AuthUserInfo, error) bool {
	return func(_ *authhandlers.AuthUserInfo, err error) bool {
		r, ok := errors.AsType[*authhandlers.Rejection](err)
		return ok && r.Code == code
	}
}

// TestEndsAreNoticed: whenever access ends, it is over within the set time.
func TestEndsAreNoticed(t *testing.T) {
	for _, notice := range []time.Duration{0, time.Second, 5 * time.Second, 20 * time.Second, time.Minute} {
		for stay := range 12 {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, func(d *desk) { d.o.Notice = notice })
				u := d.connect(t)
				if after, gone := d.watch(u, time.Duration(stay)*7*time.Second, func(_ *authhandlers.AuthUserInfo, err error) bool { return err != nil }); gone {
					t.Fatalf("out after %s", after)
				}
				d.says(refuses)
				most := max(notice, time.Second) + 2*time.Second // the house looks each second
				if after, gone := d.watch(u, time.Minute+most, refusedAs(authhandlers.CodeTokenInactive)); !gone || after > most {
					t.Errorf("notice %s, stay %d: out after %s", notice, stay, after)
				}
			})
		}
	}
}

// TestQuestionsAreFew: somebody who stays is asked about as seldom as that allows, and not
// at all once they have left.
func TestQuestionsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		u := d.connect(t)
		d.watch(u, 10*time.Minute, func(*authhandlers.AuthUserInfo, error) bool { return false })
		synctest.Wait()
		if n := d.asked.Swap(0); n < 30 || n > 41 {
			t.Errorf("asked %d times in 10 minutes", n)
		}
		for range 600 {
			time.Sleep(time.Second)
			d.Generation()
		}
		before := d.Generation()
		time.Sleep(time.Minute)
		if n := d.asked.Load(); n != 0 || d.Generation() != before {
			t.Errorf("asked %d times about nobody; generation %d, then %d", n, before, d.Generation())
		}
	})
}

// TestChanges count for who is connected; somebody else's credential does not.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		u := d.connect(t)
		d.says(accepts("alice", "new"))
		if after, ok := d.watch(u, 23*time.Second, func(u *authhandlers.AuthUserInfo, err error) bool { return err == nil && len(u.Groups) == 1 }); !ok {
			t.Errorf("not noticed within %s", after)
		}
		d.says(accepts("mallory", "new"))
		if after, ok := d.watch(u, 23*time.Second, refusedAs(authhandlers.CodeInvalidUserID)); !ok {
			t.Errorf("somebody else stays for %s", after)
		}
	})
}

// TestFaultsAreNoEnd, for as long as is allowed.
func TestFaultsAreNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		u := d.connect(t)
		d.says(fails)
		after, gone := d.watch(u, 10*time.Minute, refusedAs(authhandlers.CodeUnclaimed))
		if !gone || after < 2*time.Minute || after > 3*time.Minute {
			t.Errorf("out after %s", after)
		}
		if _, err := d.chain.Authenticate(t.Context(), request("a credential", false)); err == nil || refusedAs(authhandlers.CodeUnclaimed)(nil, err) {
			t.Errorf("a request in between: %v", err)
		}
		d.says(accepts("alice"))
		u = d.connect(t)
		d.says(fails)
		d.watch(u, time.Minute, refusedAs(authhandlers.CodeUnclaimed))
		d.says(accepts("alice"))
		if after, gone := d.watch(u, 10*time.Minute, func(_ *authhandlers.AuthUserInfo, err error) bool { return err != nil }); gone {
			t.Errorf("out %s after the service was there again", after)
		}
	})
}

// key is one of a name, of the length that keys have.
func key(name string) []byte { return []byte(strings.Repeat(name, 32)[:32]) }

// TestReload: the Desk that comes after judges people of the one before.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(d *desk) { d.env.Keys = [][]byte{key("first")} })
		none := func(string) (*inquiry.Answer, error) {
			return &inquiry.Answer{Person: authhandlers.AuthUserInfo{Issuer: "i", Subject: "alice", Permissions: []string{}}}, nil
		}
		d.says(none)
		u := d.connect(t)
		d.says(fails)
		d.env.Keys = [][]byte{key("second"), key("first")}
		d.open(t)
		again, err := d.chain.Rejudge(u)
		if err != nil || !again.Same(u) || again.Permissions == nil {
			t.Fatalf("%+v: %v", again, err)
		}
		d.says(none)
		d.watch(u, time.Minute, func(*authhandlers.AuthUserInfo, error) bool { return false })
		d.says(refuses)
		if after, gone := d.watch(u, 23*time.Second, refusedAs(authhandlers.CodeTokenInactive)); !gone {
			t.Errorf("in after %s", after)
		}
		for name, change := range map[string]func(){
			"another service": func() { d.o.Label = "other" },
			"other keys":      func() { d.o.Label, d.env.Keys = "test", [][]byte{key("third")} },
		} {
			change()
			d.open(t)
			if _, err := d.chain.Rejudge(u); !refusedAs(authhandlers.CodeUnclaimed)(nil, err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
