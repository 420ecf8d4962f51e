package cat

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Permission is one permission of the Cat: a resource and an action, such as
// MEMORY:READ. The zero Permission is None.
type Permission uint8

// None is no permission.
const None Permission = 0

// Resources are the Cat's resources in a fixed order, and one of Catflap's own:
// UPLOAD_WEB is POST /rabbithole/web, with which the Cat fetches any URL that the
// caller names, so that the Cat's own UPLOAD:WRITE does not cover it here.
func Resources() []string { return slices.Clone(resources[:]) }

// Actions are the Cat's actions.
func Actions() []string { return slices.Clone(actions[:]) }

var (
	resources = [...]string{
		"STATUS", "MEMORY", "CONVERSATION", "SETTINGS", "LLM", "EMBEDDER", "AUTH_HANDLER", "USERS", "UPLOAD", "PLUGINS", "STATIC",
		"UPLOAD_WEB",
	}
	actions = [...]string{"WRITE", "EDIT", "LIST", "READ", "DELETE"}
)

func permission(resource, action string) Permission {
	r, a := slices.Index(resources[:], resource), slices.Index(actions[:], action)
	if r < 0 || a < 0 {
		return None
	}
	return Permission(r*len(actions)+a) + 1 //nolint:gosec // at most 60
}

// String writes the permission as RESOURCE:ACTION.
func (p Permission) String() string {
	if p == None || int(p) > len(resources)*len(actions) {
		return "none"
	}
	i := int(p - 1)
	return resources[i/len(actions)] + ":" + actions[i%len(actions)]
}

// Permissions is a set of permissions.
type Permissions uint64

// Has reports whether p is in the set.
func (s Permissions) Has(p Permission) bool { return p != None && s&(1<<(p-1)) != 0 }

// Denying returns what denying s takes away: somebody who may not upload may not have
// the Cat fetch a page either, which to the Cat is the same permission.
func (s Permissions) Denying() Permissions {
	if s.Has(uploadFile) {
		s |= 1 << (uploadWeb - 1)
	}
	return s
}

// Covers reports whether every permission of other is in the set.
func (s Permissions) Covers(other Permissions) bool { return other&^s == 0 }

// Every returns each of the Cat's own permissions.
func Every() []Permission { return all.List() }

// PermissionsOf is the set of one permission.
func PermissionsOf(p Permission) Permissions { return 1 << (p - 1) }

// All is each of the Cat's own permissions: those of its administrator.
const All = all

func (s Permissions) count() int { return bits.OnesCount64(uint64(s)) }

// Names writes the Cat's own permissions of the set as briefly as a configuration
// may: *, RESOURCE:* and RESOURCE:ACTION.
func (s Permissions) Names() []string {
	if s.Covers(all) {
		return []string{"*"}
	}
	var names []string
	by := s.ByResource()
	for _, r := range resources {
		if len(by[r]) == len(actions) {
			names = append(names, r+":*")
			continue
		}
		for _, a := range by[r] {
			names = append(names, r+":"+a)
		}
	}
	return names
}

// List returns the permissions in order.
func (s Permissions) List() []Permission {
	var l []Permission
	for ; s != 0; s &= s - 1 {
		l = append(l, Permission(bits.TrailingZeros64(uint64(s)))+1) //nolint:gosec // at most 64
	}
	return l
}

// ByResource returns the set in the form in which the Cat stores an account's
// permissions. Catflap's own resources are left out.
func (s Permissions) ByResource() map[string][]string {
	m := map[string][]string{}
	for _, p := range s.List() {
		r, a, _ := strings.Cut(p.String(), ":")
		if r != "UPLOAD_WEB" {
			m[r] = append(m[r], a)
		}
	}
	return m
}

// ParsePermissions reads RESOURCE:ACTION, RESOURCE:* or *. The last means all of
// the Cat's own; UPLOAD_WEB is only ever named by itself.
func ParsePermissions(text string) (Permissions, error) {
	if text == "*" {
		return all, nil
	}
	resource, action, found := strings.Cut(text, ":")
	if !found || !slices.Contains(resources[:], resource) {
		return 0, fmt.Errorf("%q is no permission of the Cat", text)
	}
	if resource == "UPLOAD_WEB" && action != "WRITE" {
		return 0, fmt.Errorf("%q: UPLOAD_WEB has only WRITE", text)
	}
	if action != "*" {
		p := permission(resource, action)
		if p == None {
			return 0, fmt.Errorf("%q is no permission of the Cat", text)
		}
		return 1 << (p - 1), nil
	}
	var s Permissions
	for _, a := range actions {
		s |= 1 << (permission(resource, a) - 1)
	}
	return s, nil
}

// all are the Cat's own permissions.
const all Permissions = 1<<(11*5) - 1

// Base is the base set of a new user of the Cat: STATUS:READ, MEMORY:READ,
// MEMORY:LIST, CONVERSATION:* and STATIC:READ. As "base" in a grant it counts only
// where an endpoint keeps to the caller's own data ([Route.Own]).
const Base Permissions = 1<<(0*5+3) | 1<<(1*5+2) | 1<<(1*5+3) | 0b11111<<(2*5) | 1<<(10*5+3)

// The permissions of the Cat's upload endpoints, and of its files.
var (
	uploadFile = permission("UPLOAD", "WRITE")
	uploadWeb  = permission("UPLOAD_WEB", "WRITE")
	staticRead = permission("STATIC", "READ")
)
