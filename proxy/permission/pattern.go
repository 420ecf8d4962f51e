package permission

import (
	"errors"
	"fmt"
	"strings"
)

// Pattern names endpoints: a method (or *), and a path in which * stands for one
// whole segment and ** at the end for the rest. It is anchored at both ends and
// compares exactly; a slash at the end does not matter.
type Pattern struct {
	text     string
	method   string
	segments []string
	rest     bool
}

// ParsePattern reads "GET /custom/*/report" or "GET /static/**".
func ParsePattern(text string) (Pattern, error) {
	method, path, ok := strings.Cut(text, " ")
	if !ok || method == "" || !strings.HasPrefix(path, "/") {
		return Pattern{}, fmt.Errorf("%q is no endpoint: write a method and a path, such as GET /custom/report", text)
	}
	p := Pattern{text: text, method: method}
	p.segments = strings.Split(strings.TrimSuffix(path[1:], "/"), "/")
	for i, s := range p.segments {
		switch {
		case s == "**" && i == len(p.segments)-1 && i > 0:
			p.segments, p.rest = p.segments[:i], true
		case s == "" || s == "." || s == ".." || strings.ContainsAny(s, "?#%\\") || strings.Contains(s, "*") && s != "*":
			return Pattern{}, fmt.Errorf("%q: the segment %q can't stand in a pattern", text, s)
		}
	}
	if p.method == "OPTIONS" || p.method == "CONNECT" || p.method == "TRACE" {
		return Pattern{}, errors.New("OPTIONS, CONNECT and TRACE are never forwarded")
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Match reports whether the decoded path and the method are meant. HEAD is GET.
func (p Pattern) Match(method, path string) bool {
	if method == "HEAD" {
		method = "GET"
	}
	if p.method != "*" && p.method != method {
		return false
	}
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	for i, want := range p.segments {
		got, rest, more := strings.Cut(path, "/")
		if got == "" || want != "*" && want != got {
			return false
		}
		if i == len(p.segments)-1 {
			return more == p.rest
		}
		if !more {
			return false
		}
		path = rest
	}
	return false
}
