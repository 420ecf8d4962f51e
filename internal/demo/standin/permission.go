package standin

import "slices"

// resources are the Cat's, in its order.
func resources() []string {
	return []string{"STATUS", "MEMORY", "CONVERSATION", "SETTINGS", "LLM", "EMBEDDER",
		"AUTH_HANDLER", "USERS", "UPLOAD", "PLUGINS", "STATIC"}
}

// verbs are the Cat's, in its order.
func verbs() []string { return []string{"WRITE", "EDIT", "LIST", "READ", "DELETE"} }

// Permissions maps a resource to what may be done with it.
type Permissions map[string][]string

// FullPermissions is every permission: what the API key has.
func FullPermissions() Permissions {
	p := Permissions{}
	for _, r := range resources() {
		p[r] = verbs()
	}
	return p
}

// BasePermissions is what a new account has, and a socket opened with the key.
func BasePermissions() Permissions {
	return Permissions{
		"STATUS":       {"READ"},
		"MEMORY":       {"READ", "LIST"},
		"CONVERSATION": verbs(),
		"STATIC":       {"READ"},
	}
}

// need is what an endpoint asks for.
type need struct{ resource, verb string }

func (p Permissions) allow(n need) bool { return slices.Contains(p[n.resource], n.verb) }

// MarshalJSON keeps the Cat's order.
func (p Permissions) MarshalJSON() ([]byte, error) {
	var o object
	for _, r := range resources() {
		if v, ok := p[r]; ok {
			o = append(o, field{r, v})
		}
	}
	return o.MarshalJSON()
}
