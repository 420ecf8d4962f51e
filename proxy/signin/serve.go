package signin

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/catflap/catflap/proxy/refusals"
)

// Serve answers the request if its path, which stands below the prefix, is one of
// the way in and out. route is the stable name of what was asked for; false means
// that there is no such page here. client is the address that it came from.
func (s *SignIn) Serve(w http.ResponseWriter, r *http.Request, client netip.Addr, path string) (route string, res Result, ok bool) {
	name := strings.TrimPrefix(path, s.o.Prefix)
	first, rest, more := strings.Cut(name, "/")
	var serve map[string]func() Result
	switch {
	case name == "login":
		serve = map[string]func() Result{http.MethodGet: func() Result { return s.login(w, r, client) }}
		if s.Passwords() {
			serve[http.MethodPost] = func() Result { return s.ServePassword(w, r, client) }
		}
	case first == "callback" && (!more || rest != ""):
		serve = map[string]func() Result{http.MethodGet: func() Result { return s.callback(w, r, client, rest) }}
	case name == "logout":
		serve = map[string]func() Result{
			http.MethodGet:  func() Result { return s.logoutPage(w, r) },
			http.MethodPost: func() Result { return s.logout(w, r) },
		}
	case name == "signed-out":
		serve = map[string]func() Result{http.MethodGet: func() Result { return s.logoutPage(w, r) }}
	case first == "backchannel-logout" && (!more || rest != ""):
		serve = map[string]func() Result{http.MethodPost: func() Result { return s.backchannel(w, r, client, rest) }}
	default:
		return "", Result{}, false
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	do, ok := serve[method]
	if !ok {
		return s.o.Prefix + first, refuseMethod(w, serve), true
	}
	return method + " " + s.o.Prefix + first, do(), true
}

func refuseMethod(w http.ResponseWriter, serve map[string]func() Result) Result {
	allow := "GET, HEAD"
	switch _, get := serve[http.MethodGet]; {
	case !get:
		allow = "POST"
	case len(serve) > 1:
		allow += ", POST"
	}
	w.Header().Set("Allow", allow)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusMethodNotAllowed)
	return Result{Kind: Refused, Status: http.StatusMethodNotAllowed, Code: refusals.MethodNotAllowed}
}
