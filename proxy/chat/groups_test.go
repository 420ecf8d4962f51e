package chat

import "testing"

// TestPeopleOfOneCredentialHaveHalfOfTheSeats, under any names; people who come by another
// credential find a place.
func TestPeopleOfOneCredentialHaveHalfOfTheSeats(t *testing.T) {
	set := separate
	set.MaxSockets = 4
	l := newLab(t, set, echo)
	a := l.open(t, "/a?group=shop")
	l.open(t, "/b?group=shop")
	if _, err := l.dial(t.Context(), l.front, "/c?group=shop"); err == nil {
		t.Fatal("a third of the group was let in")
	}
	l.open(t, "/a?group=blog")
	l.open(t, "/d")
	_ = a.Close()
	l.eventually(t, "a place is free", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return len(l.hub.clients) == 3 && len(l.hub.groups.of) == 2 && l.hub.groups.count["shop"] == 1
	})
	l.open(t, "/c?group=shop")
}
