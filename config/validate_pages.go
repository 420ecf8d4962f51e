package config

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// Addresses of our own pages, as the proxy has them.
const (
	ownPages  = "/_catflap/"
	homePage  = ownPages + "home"
	leftPage  = ownPages + "signed-out"
	catsLogin = "/auth/login"
)

// home holds where people go who have signed in: a page, and none of those that would
// send them in a circle.
func (v *validator) home(address string) {
	const field = "pages.home"
	if strings.HasPrefix(address, "/") {
		if message, hint := ownPathProblem(address); message != "" {
			v.bad(field, message, hint)
		} else if address != homePage && oneOfOurs(address) {
			v.bad(field, quote(address)+" is an address of Catflap's own, where nobody can stay", "write the path of your chat page, or leave the field out for "+homePage)
		}
		return
	}
	const hint = "write the path of a page, such as /static/chat.html, or a whole address whose origin is listed in origins"
	switch {
	case address == "":
		v.bad(field, "is empty", "write an address, or leave the field out for "+homePage)
	case !slices.ContainsFunc(v.c.Origins, func(o string) bool { return webOrigin(o) && strings.HasPrefix(address+"/", o+"/") }):
		v.bad(field, quote(address)+" is neither a path nor an address of a page whose origin is listed", hint)
	default:
		_, rest, _ := strings.Cut(address, "://")
		_, rest, _ = strings.Cut(rest, "/")
		if message, hint := ownPathProblem("/" + rest); message != "" {
			v.bad(field, message, hint)
		}
	}
}

func webOrigin(o string) bool {
	return strings.HasPrefix(o, "https://") || strings.HasPrefix(o, "http://")
}

// oneOfOurs reports a path that Catflap answers itself.
func oneOfOurs(address string) bool {
	p := pathOf(address)
	return strings.HasPrefix(p+"/", ownPages) || p == catsLogin
}

// pathOf is the path to which an address leads, as a browser and we read it.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return path.Clean("/" + u.Path)
}

func (v *validator) afterLogout(address string) {
	const field = "sessions.after_logout"
	message, hint := ownPathProblem(address)
	switch {
	case message != "":
		v.bad(field, message, hint)
	case pathOf(address) == leftPage:
		v.bad(field, quote(address)+" sends people here again and again", "leave the field out: without it people see that page")
	}
}
