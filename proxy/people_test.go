package proxy

import (
	"testing"
	"time"
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
