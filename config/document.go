package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// The bounds of a file. A configuration is far below each of them.
const (
	maxFileBytes = 1 << 20
	maxDepth     = 32
	maxValues    = 50_000
)

// parseDocument turns the file into a tree that holds plain mappings, lists and
// scalars only. What YAML has beyond (aliases, merge keys, tags, several
// documents) is refused: none of it can be read at a glance, and aliases make
// small files large.
func parseDocument(file string, data []byte) (*yaml.Node, []Problem) {
	if line, message, hint := unreadable(data); message != "" {
		return nil, []Problem{{File: file, Line: line, Message: message, Hint: hint}}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		return nil, []Problem{{File: file, Message: err.Error()}}
	}
	var doc, second yaml.Node
	switch err = loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, []Problem{{File: file, Line: 1, Message: "the file is empty", Hint: "begin with version: 1"}}
	case err != nil:
		return nil, []Problem{syntaxProblem(file, data, err)}
	}
	if len(doc.Content) != 1 || doc.Content[0].ShortTag() == "!!null" {
		return nil, []Problem{{File: file, Line: 1, Message: "the file is empty", Hint: "begin with version: 1"}}
	}
	switch err = loader.Load(&second); {
	case err == nil:
		return nil, []Problem{{File: file, Line: second.Line, Message: "a second document begins here", Hint: "one file holds one configuration; remove the --- between the two"}}
	case !errors.Is(err, io.EOF):
		return nil, []Problem{syntaxProblem(file, data, err)}
	}
	p := plainness{file: file}
	p.check(doc.Content[0])
	return doc.Content[0], p.problems
}

// unreadable finds what no text editor shows: the wrong encoding, control characters.
func unreadable(data []byte) (line int, message, hint string) {
	if len(data) > maxFileBytes {
		return 1, fmt.Sprintf("the file is larger than %d bytes", maxFileBytes), "is it a configuration at all?"
	}
	line = 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return line, "the file is not UTF-8", "save it as UTF-8"
		case r == '\n':
			line++
		case r < 0x20 && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			return line, fmt.Sprintf("the control character U+%04X stands here", r), "remove it"
		}
		i += n
	}
	return 0, "", ""
}

// syntaxProblem says where YAML ends. The parser's text is kept only where it
// can't hold a piece of the file, since that could be a secret in the wrong place.
func syntaxProblem(file string, data []byte, err error) Problem {
	p := Problem{File: file, Line: 1, Message: "this is no YAML", Hint: "check the indentation, the quotes and the brackets"}
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return p
	}
	p.Line = max(1, load.Mark.Line)
	switch {
	case strings.Contains(leading(data, p.Line), "\t"):
		p.Message, p.Hint = "a tab stands where YAML wants spaces", "indent with spaces"
	case load.Stage == yaml.ComposerStage:
		p.Message, p.Hint = "an alias stands here that nothing defines", "put a text that begins with * in quotes"
	case load.Stage == yaml.ScannerStage, load.Stage == yaml.ParserStage:
		p.Message += ": " + load.Message
		if load.ContextMark.Line > 0 && load.ContextMark.Line != p.Line {
			p.Message += fmt.Sprintf(" (what began in line %d)", load.ContextMark.Line)
		}
	}
	return p
}

// leading returns the white space at the beginning of a line.
func leading(data []byte, line int) string {
	lines := bytes.SplitN(data, []byte("\n"), line+1)
	if line > len(lines) {
		return ""
	}
	l := lines[line-1]
	return string(l[:len(l)-len(bytes.TrimLeft(l, " \t"))])
}

// plainness finds what YAML has beyond mappings, lists and scalars.
type plainness struct {
	file     string
	values   int
	problems []Problem
}

// add keeps a problem once a line.
func (p *plainness) add(n *yaml.Node, message, hint string) {
	if l := len(p.problems); l > 0 && p.problems[l-1].Line == n.Line && p.problems[l-1].Message == message {
		return
	}
	p.problems = append(p.problems, Problem{File: p.file, Line: n.Line, Message: message, Hint: hint})
}

func (p *plainness) check(n *yaml.Node) {
	if p.values++; p.values == maxValues {
		p.add(n, fmt.Sprintf("the file holds more than %d values", maxValues), "is it a configuration at all?")
	}
	if p.values >= maxValues {
		return
	}
	switch {
	case n.Kind == yaml.AliasNode:
		p.add(n, "an alias stands here", "write the value out; a text that begins with * needs quotes")
		return
	case n.Anchor != "":
		p.add(n, "an anchor stands here", "aliases are not supported: write the value where it is used; a text that begins with & needs quotes")
	case n.Style&yaml.TaggedStyle != 0:
		p.add(n, "a tag stands here", "tags are not supported; a text that begins with ! needs quotes")
	case n.Kind == yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			p.checkKey(n.Content[i])
		}
	}
	for _, c := range n.Content {
		p.check(c)
	}
}

func (p *plainness) checkKey(k *yaml.Node) {
	switch {
	case k.Kind == yaml.AliasNode:
	case k.Kind != yaml.ScalarNode:
		p.add(k, "the name of a field is a list or a mapping", "a name is plain text; a value that begins with { or [ needs quotes")
	case k.Style&yaml.TaggedStyle == 0 && k.ShortTag() == "!!merge":
		p.add(k, "a merge key stands here", "merging is not supported; write the fields out")
	}
}
