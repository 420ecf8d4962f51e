package config

import (
	"regexp"
	"slices"
	"strings"
)

func (v *validator) endpoints() {
	seen := map[string]bool{}
	for i, text := range v.c.Permissions.Public {
		field := item("permissions.public", i)
		if _, path, _ := strings.Cut(text, " "); strings.HasPrefix(path, "/*") {
			v.bad(field, "would open the whole Cat to everybody", "spell the first segment of the path out, such as GET /static/**")
			continue
		}
		v.pattern(field, text, seen)
	}
	for i, e := range v.c.Permissions.Endpoints {
		at := item("permissions.endpoints", i)
		v.pattern(below(at, "match"), e.Match, seen)
		v.needs(below(at, "needs"), e.Needs)
	}
}

// needs is one permission: a set or RESOURCE:* would leave open which of its
// permissions is enough.
func (v *validator) needs(field, needs string) {
	if needs == wordAdmin || needs == wordEveryone {
		return
	}
	if slices.Contains(v.known.Permissions, needs) && !strings.HasSuffix(needs, "*") {
		return
	}
	known := []string{wordAdmin, wordEveryone}
	for _, p := range v.known.Permissions {
		if !strings.HasSuffix(p, "*") {
			known = append(known, p)
		}
	}
	hint := "write one RESOURCE:ACTION, admin or everyone"
	if c := closest(needs, known); c != "" && !strings.HasSuffix(needs, "*") {
		hint = "did you mean " + c + "?"
	}
	v.bad(field, quote(needs)+" is not one permission, admin or everyone", hint)
}

var methodName = regexp.MustCompile(`\A[A-Z]{1,32}\z`)

const patternExample = "write a method and a path, such as GET /custom/report; * stands for one segment, ** at the end for the rest"

func (v *validator) pattern(field, text string, seen map[string]bool) {
	method, path, found := strings.Cut(text, " ")
	switch {
	case !found || !strings.HasPrefix(path, "/"):
		v.bad(field, quote(text)+" is no endpoint", patternExample)
	case method != "*" && !methodName.MatchString(method):
		v.bad(field, quote(method)+" is no method", "write it in capitals, such as GET, or * for every method")
	case method == "HEAD":
		v.bad(field, "HEAD is judged as GET", "write GET")
	case oneOf(method, []string{"OPTIONS", "CONNECT", "TRACE"}):
		v.bad(field, method+" is never forwarded", "write another method, or * for all that are")
	case strings.HasPrefix(path, "/_catflap/"):
		v.bad(field, quote(path)+" is never forwarded", "remove it; what lies below /_catflap/ is Catflap's own")
	case path == "/" || path == "/**":
		v.bad(field, "the path has no first segment", "spell at least one segment out, such as GET /custom/**")
	case seen[text]:
		v.bad(field, quote(text)+" is written twice", "remove one")
	default:
		v.segments(field, strings.Split(strings.TrimSuffix(path[1:], "/"), "/"))
	}
	seen[text] = true
}

func (v *validator) segments(field string, segments []string) {
	for i, s := range segments {
		switch {
		case s == "":
			v.bad(field, "the path has an empty segment", "write one / between two segments")
		case s == "." || s == "..":
			v.bad(field, "the path has a dot segment", "write the path without . and ..")
		case s == "**" && i == len(segments)-1:
		case s == "**":
			v.bad(field, "** stands before the end", "write * for one segment, and ** only at the end")
		case strings.Contains(s, "*") && s != "*":
			v.bad(field, quote(s)+" mixes * with text", "a * is a whole segment")
		case strings.Contains(s, "%"):
			v.bad(field, quote(s)+" holds an escape", "write the path decoded: it is compared after decoding")
		case strings.ContainsAny(s, "?#\\ ;") || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			v.bad(field, quote(s)+" holds what a path can't hold", "write the path alone, without a query")
		default:
			continue
		}
		return
	}
}
