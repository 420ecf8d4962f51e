package provider

// person is one of those that the provider knows. The name is the sub.
type person struct {
	name   string
	what   string // on the page
	groups []string
}

// people are all of them.
func people() []person {
	return []person{
		{"alice", "an administrator", []string{"cat-admins"}},
		{"bob", "a person like any other", []string{}},
	}
}

func personOf(name string) (person, bool) {
	for _, p := range people() {
		if p.name == name {
			return p, true
		}
	}
	return person{}, false
}
