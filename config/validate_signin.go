package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/catflap/catflap/internal/loopback"
)

// signIn holds what a session cookie needs: an origin that is known beforehand,
// since the provider returns to no other, and one where browsers keep the cookie
// from strangers.
func (v *validator) signIn() {
	i := slices.IndexFunc(v.c.Handlers, signsIn)
	if i < 0 {
		return
	}
	h := v.c.Handlers[i]
	if v.c.PublicURL == "" {
		v.bad("public_url", "required, since people sign in through "+named(i, h)+" in a browser", "write what browsers see, such as https://chat.example.com, or http://localhost:8080 to try it out on this machine")
		return
	}
	u, err := url.Parse(v.c.PublicURL)
	if err != nil || u.Scheme != "http" || bareURL(v.c.PublicURL, "http") != "" {
		return // it is https, or publicURL has said what is wrong
	}
	if !loopback.Host(u.Hostname()) {
		v.bad("public_url", "people sign in through "+named(i, h)+", and over plain http their session would be anybody's", "write https://; http is for localhost and the addresses of this machine alone, such as http://127.0.0.1:8080")
	}
}

// SignsIn reports that people sign in through some handler in a browser.
func (c *Config) SignsIn() bool { return slices.ContainsFunc(c.Handlers, signsIn) }

// warnSignIn looks for what means something else, or nothing, because of how
// people sign in.
func (v *validator) warnSignIn() {
	if !slices.ContainsFunc(v.c.Handlers, signsIn) {
		if v.c.places.has("sessions") && v.c.Sessions.Store != "redis" && !v.c.KeepsSessions() && (len(v.c.Sessions.Keys) == 0 || !v.c.TakesGuests()) { // sockets need the one, and guests' cookies the other
			v.doubt("sessions", "has no effect, since no handler signs people in in a browser", "remove it, or add a handler that does, such as one of the type oidc")
		}
		return
	}
	v.warnTitles()
	v.warnCallbacks()
	for i, e := range v.c.Permissions.Public {
		v.warnOwnLogin(item("permissions.public", i), e)
	}
	for i, e := range v.c.Permissions.Endpoints {
		v.warnOwnLogin(below(item("permissions.endpoints", i), "match"), e.Match)
	}
}

// warnTitles finds two ways to sign in that people can't tell apart.
func (v *validator) warnTitles() {
	for i, h := range v.c.Handlers {
		if !signsIn(h) {
			continue
		}
		j := slices.IndexFunc(v.c.Handlers, func(o Handler) bool {
			return signsIn(o) && strings.EqualFold(signInTitle(o), signInTitle(h))
		})
		if j == i {
			continue
		}
		field := item("handlers", i)
		if title := below(field, "title"); v.c.places.has(title) {
			field = title
		}
		v.doubt(field, "people who choose where to sign in read "+quote(signInTitle(h))+" for "+named(j, v.c.Handlers[j])+" too", "give each of the two a title of its own")
	}
}

// warnCallbacks finds providers of which one could pass off another's answer as its
// own (a mix-up, RFC 9700 §4.4): they send people back to one address. Who writes
// callback: shared has thought of it.
func (v *validator) warnCallbacks() {
	var shared []int
	for i, h := range v.c.Handlers {
		if s, ok := h.Settings.(interface{ SharesCallback() bool }); ok && s.SharesCallback() {
			shared = append(shared, i)
		}
	}
	if len(shared) < 2 {
		return
	}
	for _, i := range shared {
		field := item("handlers", i)
		if v.c.places.has(below(field, "callback")) {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(shared), func(j int) bool { return j == i })
		v.doubt(field, "people come back from it to the same address as from "+named(others[0], v.c.Handlers[others[0]])+
			": unless each of them puts iss into its answers (RFC 9207), one could pass off the other's answer as its own",
			"write callback: own, and register "+v.c.PublicURL+"/_catflap/callback/"+v.c.Handlers[i].Name+" there; or callback: shared, if it puts iss into its answers")
	}
}

// warnOwnLogin is about the Cat's own ways to sign in, which give way to ours.
func (v *validator) warnOwnLogin(field, match string) {
	method, path, _ := strings.Cut(match, " ")
	path = strings.TrimSuffix(path, "/")
	for _, own := range [...]string{"GET /auth/login", "POST /auth/token"} {
		if match := method + " " + path; match == own || method == "*" && strings.HasSuffix(own, " "+path) {
			v.doubt(field, own+" never reaches the Cat: people sign in at Catflap, which answers it itself", "remove it")
		}
	}
}

func named(i int, h Handler) string { return item("handlers", i) + " (" + h.Name + ")" }

func signsIn(h Handler) bool {
	s, ok := h.Settings.(interface{ SignsIn() bool })
	return ok && s.SignsIn()
}

func signInTitle(h Handler) string {
	if s, ok := h.Settings.(interface{ SignInTitle() string }); ok {
		if title := strings.TrimSpace(s.SignInTitle()); title != "" {
			return title
		}
	}
	return h.Name
}
