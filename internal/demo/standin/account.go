package standin

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Account is one of the Cat's own users.
type Account struct {
	ID          string
	Name        string
	Password    string
	Permissions Permissions
}

func (a Account) reply() object {
	return object{{"username", a.Name}, {"permissions", a.Permissions}, {"id", a.ID}}
}

// AddAccount makes an account, as POST /users/ does, and returns its id: what the
// sub of a minted token must be.
func (c *Cat) AddAccount(name, password string, p Permissions) string {
	a := &Account{newID(), name, password, p}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accounts = append(c.accounts, a)
	return a.ID
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (c *Cat) accountByID(id string) (Account, bool) {
	return c.account(func(a *Account) bool { return a.ID == id })
}

func (c *Cat) accountByPassword(name, password string) (Account, bool) {
	if _, there := c.account(func(a *Account) bool { return a.Name == name }); there && c.options.CheckPassword > 0 {
		c.wait(c.options.CheckPassword)
	}
	return c.account(func(a *Account) bool { return a.Name == name && a.Password == password })
}

func (c *Cat) account(is func(*Account) bool) (Account, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.accounts, is)
	if i < 0 {
		return Account{}, false
	}
	return *c.accounts[i], true
}

// accountFields reads an account out of a body; only what was sent is set.
func (e *exchange) accountFields(create bool) (Account, bool) {
	s, ok := e.model()
	if !ok {
		return Account{}, false
	}
	least := 4
	if create {
		least = 5
	}
	a := Account{Name: s.textOf("username", 2, create), Password: s.textOf("password", least, create)}
	if v, sent := s.fields["permissions"]; sent {
		p, bad := permissionsOf(v)
		s.problems = append(s.problems, bad...)
		a.Permissions = p
	} else if create {
		a.Permissions = BasePermissions()
	}
	s.only("username", "password", "permissions")
	return a, s.good(e)
}

func permissionsOf(v any) (Permissions, []object) {
	d, ok := v.(map[string]any)
	if !ok {
		return nil, []object{problem("dict_type", "Input should be a valid dictionary", v, "body", "permissions")}
	}
	var problems []object
	p := Permissions{}
	for r, list := range d {
		if !slices.Contains(resources(), r) {
			problems = append(problems, notOneOf(resources(), r, "body", "permissions", r, "[key]"))
		}
		items, ok := list.([]any)
		if !ok {
			problems = append(problems, problem("list_type", "Input should be a valid list", list, "body", "permissions", r))
		}
		p[r] = []string{}
		for i, item := range items {
			verb, _ := item.(string)
			if !slices.Contains(verbs(), verb) {
				problems = append(problems, notOneOf(verbs(), item, "body", "permissions", r, i))
			}
			p[r] = append(p[r], verb)
		}
	}
	return p, problems
}

func notOneOf(allowed []string, input any, loc ...any) object {
	last := len(allowed) - 1
	expected := "'" + strings.Join(allowed[:last], "', '") + "' or '" + allowed[last] + "'"
	return append(problem("enum", "Input should be "+expected, input, loc...),
		field{"ctx", object{{"expected", expected}}})
}

func (c *Cat) createUser(e *exchange) {
	a, ok := e.accountFields(true)
	if !ok {
		return
	}
	if _, taken := c.account(func(o *Account) bool { return o.Name == a.Name }); taken {
		e.wrong(http.StatusForbidden, "Cannot duplicate user")
		return
	}
	a.ID = c.AddAccount(a.Name, a.Password, a.Permissions)
	e.json(http.StatusOK, a.reply())
}

func (c *Cat) listUsers(e *exchange) {
	skip, ok1 := e.queryNumber("skip", 0)
	limit, ok2 := e.queryNumber("limit", 100)
	if !ok1 || !ok2 {
		return
	}
	c.mu.Lock()
	list := []object{}
	for i, a := range c.accounts {
		if i >= skip && i < skip+limit {
			list = append(list, a.reply())
		}
	}
	c.mu.Unlock()
	e.json(http.StatusOK, list)
}

func (c *Cat) readUser(e *exchange) {
	a, ok := c.accountByID(e.params["id"])
	if !ok {
		e.wrong(http.StatusNotFound, "User not found")
		return
	}
	e.json(http.StatusOK, a.reply())
}

func (c *Cat) updateUser(e *exchange) {
	change, ok := e.accountFields(false)
	if !ok {
		return
	}
	found := false
	var now Account
	c.mu.Lock()
	for _, a := range c.accounts {
		if a.ID != e.params["id"] {
			continue
		}
		found = true
		if change.Name != "" {
			a.Name = change.Name
		}
		if change.Password != "" {
			a.Password = change.Password
		}
		if change.Permissions != nil {
			a.Permissions = change.Permissions
		}
		now = *a
	}
	c.mu.Unlock()
	if !found {
		e.wrong(http.StatusNotFound, "User not found")
		return
	}
	e.json(http.StatusOK, now.reply())
}

func (c *Cat) deleteUser(e *exchange) {
	a, ok := c.accountByID(e.params["id"])
	if !ok {
		e.wrong(http.StatusNotFound, "User not found")
		return
	}
	c.mu.Lock()
	c.accounts = slices.DeleteFunc(c.accounts, func(o *Account) bool { return o.ID == a.ID })
	c.mu.Unlock()
	e.json(http.StatusOK, a.reply())
}

// queryNumber reads a whole number out of the query. It reports false when it has
// answered already.
func (e *exchange) queryNumber(name string, otherwise int) (int, bool) {
	s, sent := lastValue(e.r.URL.RawQuery, name)
	if !sent {
		return otherwise, true
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		e.invalid(problem("int_parsing",
			"Input should be a valid integer, unable to parse string as an integer", s, "query", name))
		return 0, false
	}
	return n, true
}
