package cattest

import (
	"fmt"
	"strings"
	"testing"
)

// listed is a user as the Cat lists it.
type listed struct {
	ID, Username string
	Password     *string
	Permissions  map[string][]string
}

// users: the list of the Cat's own users by pages, and what changing one means.
func (s *suite) users(t *testing.T) {
	name := s.name("own")
	id := s.account(t, name, nil)
	other := s.account(t, name+"-2", map[string][]string{"STATUS": {"READ"}})
	page := func(skip, limit int) []listed {
		var l []listed
		s.ask(t, "GET", fmt.Sprintf("/users/?limit=%d&skip=%d", limit, skip), s.key(), "").want(t, ok).into(t, &l)
		return l
	}
	all := page(0, 1000)
	if beyond := page(len(all), 1000); len(all) < 4 || len(beyond) != 0 {
		t.Errorf("%d users, and %d beyond", len(all), len(beyond))
	}
	if one := page(len(all)-1, 1); len(one) != 1 || one[0].ID != all[len(all)-1].ID {
		t.Errorf("the last page is %+v", one)
	}
	for _, u := range all {
		if u.Password != nil {
			t.Errorf("the list shows the password of %s", u.Username)
		}
	}
	s.ask(t, "GET", "/users/"+id, s.key(), "").want(t, ok)
	s.ask(t, "GET", "/users/nobody", s.key(), "").want(t, 404)
	s.askJSON(t, "POST", "/users/", s.key(), fmt.Sprintf(`{"username":%q,"password":"a long password"}`, name)).want(t, forbidden)
	token := func(as string) (status int, text string) {
		a := s.askJSON(t, "POST", "/auth/token", nil, fmt.Sprintf(`{"username":%q,"password":"a long password"}`, as))
		var v struct {
			Token string `json:"access_token"`
		}
		if a.StatusCode == ok {
			a.into(t, &v)
		}
		return a.StatusCode, v.Token
	}
	_, first := token(name)
	s.ask(t, "GET", "/memory/conversation_history", bearer(first), "").want(t, ok)
	s.askJSON(t, "PUT", "/users/"+id, s.key(), `{"permissions":{"STATUS":["READ"]}}`).want(t, ok)
	s.ask(t, "GET", "/memory/conversation_history", bearer(first), "").want(t, forbidden)
	// The Cat looks at names only when a user is made: two may have one.
	s.askJSON(t, "PUT", "/users/"+other, s.key(), fmt.Sprintf(`{"username":%q}`, name)).want(t, ok)
	same := 0
	for _, u := range page(0, 1000) {
		if u.Username == name {
			same++
		}
	}
	if same != 2 {
		t.Errorf("%d users have one name", same)
	}
	s.askJSON(t, "PUT", "/users/"+id, s.key(), fmt.Sprintf(`{"username":%q}`, name+"-3")).want(t, ok)
	// A token goes on under the name that is written in it.
	s.ask(t, "GET", "/", bearer(first), "").want(t, ok)
	s.ask(t, "DELETE", "/users/"+id, s.key(), "").want(t, ok)
	s.ask(t, "GET", "/", bearer(first), "").want(t, forbidden)
	if status, text := token(name + "-3"); status != forbidden || strings.Contains(text, ".") {
		t.Errorf("the deleted user logs in: %d", status)
	}
}
