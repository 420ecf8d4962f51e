package proxy

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

func TestNewPeopleNamesWhatIsMissing(t *testing.T) {
	if _, err := NewPeople(PeopleOptions{Now: time.Now}); err == nil || err.Error() != "proxy.PeopleOptions has no Log, Memory, Roll, Users" {
		t.Errorf("%v", err)
	}
}

// TestUsersAreMadeSlowly: a flood of new people has few users made at once.
func TestUsersAreMadeSlowly(t *testing.T) {
	m, now := NewPeopleMemory(), time.Unix(1_800_000_000, 0)
	made := 0
	for range 200 {
		if m.take(now) {
			made++
		}
	}
	if made != peopleBurst {
		t.Errorf("%d at once", made)
	}
	now = now.Add(10 * time.Second)
	if one, another := m.take(now), m.take(now); !one || !another {
		t.Error("none ten seconds later")
	}
}

// emptyRoll is a list of the Cat's users on which nobody is any more.
type emptyRoll struct{}

func (emptyRoll) UserNamed(context.Context, string, time.Time) (*authhandlers.CatUser, error) {
	return nil, nil //nolint:nilnil // there is none
}

func (emptyRoll) KnownUser(string) (*authhandlers.CatUser, time.Time, error) {
	return nil, time.Now(), nil
}

// TestWhoseUserWasDeletedIsOut: at the Cat's endpoints, and at our own pages that ask the
// Cat for the person.
func TestWhoseUserWasDeletedIsOut(t *testing.T) {
	for _, row := range []struct{ method, path string }{
		{"GET", "/memory/conversation_history"},
		{"GET", "/_catflap/documents"},
		{"DELETE", "/_catflap/documents?all=true"},
	} {
		c := &docsCat{points: twoPeople(), plugin: true}
		l := newDocsLab(t, c, func(o *Options) {
			m := NewPeopleMemory()
			m.made.Add("staff:alice", madeUser{known: time.Now(), gone: time.Now()})
			users := &cat.Users{Base: theCat(t, o.Cats).Base(), HTTP: http.DefaultClient, Credentials: o.Credentials}
			var err error
			o.People, err = NewPeople(PeopleOptions{
				Handlers: []string{"staff"}, Roll: emptyRoll{}, Users: users, Memory: m, Log: slog.New(slog.DiscardHandler), Now: time.Now,
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		status, body := l.do(t, row.method, row.path, "alice", "")
		if status != http.StatusUnauthorized || !strings.Contains(body, string(authhandlers.CodeUserGone)) || l.cat.count() > 0 {
			t.Errorf("%s %s: %d %s, and the Cat was asked %d times", row.method, row.path, status, body, l.cat.count())
		}
	}
}
