package configdoc

import (
	_ "embed"
	"fmt"
	"reflect"
	"strings"
)

//go:embed intro.md
var intro string

// Markdown writes the documentation, in the order of the file. The example is a
// whole configuration file.
func (r *Reference) Markdown(example string) []byte {
	var b strings.Builder
	b.WriteString(strings.Replace(intro, "{{example}}", example, 1))
	b.WriteString("\n## Fields\n\nIn the order of the file:\n")
	for _, f := range r.root.fields {
		fmt.Fprintf(&b, "[`%s`](#%s)", f.Name, f.Name)
		if f.Name == "handlers" {
			for _, h := range r.handlers {
				fmt.Fprintf(&b, ",\n[the handler type `%s`](#handler-type-%s)", h.name, h.name)
			}
		}
		if f.Name != r.root.fields[len(r.root.fields)-1].Name {
			b.WriteString(",\n")
		}
	}
	b.WriteString(".\n")
	for _, f := range r.root.fields {
		one(&b, "##", "", f)
		if f.Name == "handlers" {
			r.types(&b)
		}
	}
	return []byte(b.String())
}

// types writes the fields of each handler type.
func (r *Reference) types(b *strings.Builder) {
	for _, h := range r.handlers {
		fmt.Fprintf(b, "\n## Handler type `%s`\n\n%s\n\nThese fields stand beside those that all handlers have.\n", h.name, escaped("It "+h.node.about))
		for _, f := range h.node.fields {
			one(b, "###", h.name+": ", f)
		}
	}
}

// one writes a field and everything below it. The heading of a field is its path;
// before tells the fields of different handler types apart.
func one(b *strings.Builder, level, before string, f field) { below(b, level, before, "", f) }

func below(b *strings.Builder, level, before, parent string, f field) {
	at := parent + f.Name
	fmt.Fprintf(b, "\n%s %s`%s`\n\n%s\n\n%s\n", level, before, at, facts(f), escaped(f.text))
	n, subject := f.node, "It "
	for n.kind == list || n.kind == dictionary {
		if n.kind == list {
			at += "[]"
		} else {
			at += ".NAME"
		}
		n, subject = n.element, "Each "
	}
	if n.kind != mapping {
		return
	}
	if n.about != "" {
		fmt.Fprintf(b, "\n%s\n", escaped(subject+n.about))
	}
	for _, inner := range n.fields {
		below(b, "###", before, at+".", inner)
	}
}

// facts is the line of a field that says what may stand there.
func facts(f field) string {
	l := []string{f.node.String()}
	l[0] = strings.ToUpper(l[0][:1]) + l[0][1:]
	if f.Required {
		l = append(l, "**required**")
	}
	if f.Default != "" {
		l = append(l, "default "+code(f.node, f.Default))
	}
	if f.Default == "" && f.node.kind == truth && f.Go.Type.Kind() == reflect.Bool {
		l = append(l, "default `false`")
	}
	if len(f.Enum) > 0 {
		var values []string
		for _, e := range f.Enum {
			if e == "" {
				e = `""`
			}
			values = append(values, "`"+e+"`")
		}
		l = append(l, "allowed: "+strings.Join(values, ", "))
	}
	if f.Example != "" {
		l = append(l, "for example `"+f.Example+"`")
	}
	return strings.Join(l, " · ")
}

func code(n *node, text string) string {
	if n.kind == list {
		text = "[" + strings.ReplaceAll(text, ",", ", ") + "]"
	}
	return "`" + text + "`"
}

// String names what may stand somewhere, for people.
func (n *node) String() string {
	switch n.kind {
	case number:
		return "whole number"
	case truth:
		return "`true` or `false`"
	case duration:
		return "duration"
	case size:
		return "size"
	case path:
		return "path"
	case names:
		return "text or list of texts"
	case secret:
		return "secret: `{env: NAME}` or `{file: PATH}`"
	case account:
		return "text, `{env: NAME}` or `{file: PATH}`"
	case list:
		return "list of " + n.element.plural()
	case dictionary:
		return "mapping of names to " + n.element.plural()
	case mapping:
		return "mapping"
	}
	return "text"
}

func (n *node) plural() string {
	switch n.kind {
	case secret:
		return "secrets"
	case list:
		return "lists of " + n.element.plural()
	}
	return n.String() + "s"
}

// escaped keeps Markdown from reading marks in a comment, outside of `code`.
func escaped(comment string) string {
	parts := strings.Split(comment, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.NewReplacer("*", `\*`, "<", `\<`, "[", `\[`, `\`, `\\`).Replace(parts[i])
	}
	return strings.Join(parts, "`")
}
