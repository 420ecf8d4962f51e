package cattest

import (
	"encoding/json"
	"fmt"
	"testing"
)

// believed is what a plugin is told of a person.
type believed struct {
	User        string              `json:"user_id"`
	Permissions map[string][]string `json:"permissions"`
}

func (b believed) count() int {
	n := 0
	for _, actions := range b.Permissions {
		n += len(actions)
	}
	return n
}

// allOfThem and baseSet are how many permissions there are, and are in the base set.
const (
	allOfThem = 11 * 5
	baseSet   = 1 + 2 + 5 + 1
)

// plugins: what a plugin of the Cat is told of a person's rights, in its endpoints, in
// a hook over HTTP and in a hook over the socket.
func (s *suite) plugins(t *testing.T) {
	if !s.Rights {
		t.Skip("the Cat has no plugin that tells of rights")
	}
	s.bothKeys(t)
	s.secret(t)
	alice := s.name("alice")
	chat := s.account(t, s.name("chat"), map[string][]string{"STATUS": {"READ"}, "CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"}})
	usual := s.account(t, s.name("usual"), nil)
	for _, c := range []struct {
		name         string
		lines        []string
		token        string
		http, socket int
		guarded      int
	}{
		{"the keys: everything over HTTP, the base set over the socket", s.as(alice), s.APIKeyWS, allOfThem, baseSet, ok},
		{"a token of a small account", bearer(s.minted(t, chat, alice)), s.minted(t, chat, alice), 6, 6, forbidden},
		{"a token of the Cat's usual account", bearer(s.minted(t, usual, alice)), s.minted(t, usual, alice), baseSet, baseSet, forbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			var at, hook believed
			s.ask(t, "GET", "/custom/rights", c.lines, "").want(t, ok).into(t, &at)
			if at.User != alice || at.count() != c.http {
				t.Errorf("an endpoint is told %d permissions of %q", at.count(), at.User)
			}
			s.ask(t, "GET", "/custom/guarded", c.lines, "").want(t, c.guarded)
			var said struct{ Text string }
			s.say(t, c.lines, "rights").into(t, &said)
			if err := json.Unmarshal([]byte(said.Text), &hook); err != nil || hook.User != alice || hook.count() != c.http {
				t.Errorf("a hook over HTTP is told %s", short(said.Text))
			}
			w := s.dial(t, "/ws/"+alice+"?token="+c.token)
			defer w.Close()
			text := fmt.Sprint(w.turn(t, `{"text":"rights"}`)["text"])
			hook = believed{}
			if err := json.Unmarshal([]byte(text), &hook); err != nil || hook.User != alice || hook.count() != c.socket {
				t.Errorf("a hook over the socket is told %s", short(text))
			}
		})
	}
}
