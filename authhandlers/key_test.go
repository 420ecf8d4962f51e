package authhandlers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// keyholder is a fake that may see API keys.
type keyholder struct {
	fake
	alias string
}

func (k *keyholder) ActsFor(*authhandlers.AuthUserInfo) string { return k.alias }

func codeOf(t *testing.T, err error) authhandlers.Code {
	t.Helper()
	r, ok := errors.AsType[*authhandlers.Rejection](err)
	if !ok {
		t.Fatalf("%v, want a Rejection", err)
	}
	return r.Code
}

// TestKeysAreShownToTheirHandlerAlone: whatever else is configured, before or behind,
// does not even see the request.
func TestKeysAreShownToTheirHandlerAlone(t *testing.T) {
	for _, text := range []string{"catflap_abc", "catflap_", "CATFLAP_ABC", "Catflap_x.y.z"} {
		before, behind := &fake{u: alice()}, &fake{u: alice()}
		holder := &keyholder{fake: fake{u: alice()}}
		c := newChain(t, authhandlers.Link{Name: "before", Alias: "b", Handler: before}, authhandlers.Link{Name: "keys", Alias: "k", Handler: holder},
			authhandlers.Link{Name: "behind", Alias: "e", Handler: behind})
		for _, scheme := range []string{"bearer", "token"} {
			u, err := c.Authenticate(t.Context(), &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: scheme, Value: text}})
			if err != nil || u.Handler != "keys" || before.asked+behind.asked != 0 {
				t.Errorf("%s %s: %v, %v; the others were asked %d times", scheme, text, u, err, before.asked+behind.asked)
			}
		}
		holder.u, holder.err = nil, authhandlers.ErrNoCredential
		_, err := c.Authenticate(t.Context(), &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: text}})
		if codeOf(t, err) != authhandlers.CodeUnclaimed || before.asked+behind.asked != 0 {
			t.Errorf("%s: %v; the others were asked %d times", text, err, before.asked+behind.asked)
		}
	}
}

func TestWithoutAKeyHandlerKeysAreNobodys(t *testing.T) {
	other := &fake{u: alice()}
	c := newChain(t, authhandlers.Link{Name: "other", Handler: other})
	_, err := c.Authenticate(t.Context(), &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: "catflap_x"}})
	if codeOf(t, err) != authhandlers.CodeUnclaimed || other.asked != 0 {
		t.Errorf("%v; asked %d times", err, other.asked)
	}
	for _, text := range []string{"catflap", "xcatflap_", "ca", "catflap-x"} {
		if _, err := c.Authenticate(t.Context(), &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: text}}); err != nil {
			t.Errorf("%s is no API key: %v", text, err)
		}
	}
}

// TestAliasOfAKey: the people that a key acts for have ids of their own, and never another
// handler's.
func TestAliasOfAKey(t *testing.T) {
	for _, row := range []struct{ alias, want string }{
		{"shop", "shop:alice"}, {"staff", ""}, {"bots", ""}, {"Shop", ""}, {"a:b", ""},
	} {
		c := newChain(t, authhandlers.Link{Name: "bots", Alias: "bots", Handler: &keyholder{fake{u: alice()}, row.alias}},
			authhandlers.Link{Name: "staff", Alias: "staff", Handler: &fake{err: authhandlers.ErrNoCredential}})
		got, err := c.Authenticate(context.Background(), &authhandlers.Request{})
		if row.want == "" {
			if err == nil {
				t.Errorf("%s: accepted as %s", row.alias, got.ID)
			}
			continue
		}
		if err != nil || got.ID != row.want || c.ActsFor(got) != row.alias {
			t.Errorf("%s: %v, %v", row.alias, got, err)
		}
	}
}

func TestLikeKey(t *testing.T) {
	for text, want := range map[string]bool{
		"catflap_": true, "catflap_abc": true, "CatFlap_abc": true, "CATFLAP_": true,
		"": false, "catflap": false, "catflap-abc": false, " catflap_abc": false, "xcatflap_": false, "catﬂap_": false,
	} {
		if got := authhandlers.LikeKey(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
		if c := (&authhandlers.Credential{Value: text}); c.IsKey() != want {
			t.Errorf("%q as a credential: %v", text, c.IsKey())
		}
	}
}
