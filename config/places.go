package config

import (
	"regexp"
	"strconv"
	"strings"
)

// places knows the line of each field that the file holds, by the field's path.
type places struct {
	file  string
	lines map[string]int
}

// has reports whether the file itself holds the field, default or not.
func (p *places) has(field string) bool {
	_, ok := p.lines[field]
	return ok
}

// line returns the line of the field or, when the file does not hold it, of the
// nearest parent that it does hold.
func (p *places) line(field string) int {
	for {
		if n, ok := p.lines[field]; ok {
			return n
		}
		if field == "" {
			return 1
		}
		field = parent(field)
	}
}

// problem makes a problem of the field.
func (p *places) problem(field, message, hint string) Problem {
	return Problem{File: p.file, Line: p.line(field), Field: field, Message: message, Hint: hint}
}

func parent(field string) string {
	if i := strings.LastIndexAny(field, ".["); i > 0 {
		return field[:i]
	}
	return ""
}

// below returns the path of a named field below a parent. A name that has points
// or brackets of its own (a claim's path) is quoted.
func below(parent, name string) string {
	if !plainName.MatchString(name) {
		return parent + "[" + quote(name) + "]"
	}
	if parent == "" {
		return name
	}
	return parent + "." + name
}

var plainName = regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)

// item returns the path of an element of a list.
func item(parent string, i int) string { return parent + "[" + strconv.Itoa(i) + "]" }

// quote quotes what the file holds, and cuts what nobody would read.
func quote(text string) string {
	const enough = 64
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "..."
	}
	return strconv.Quote(text)
}
