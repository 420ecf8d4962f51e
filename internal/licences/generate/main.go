// Command generate writes the licence texts of what ./cmd/catflap is built from.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	text, err := collect()
	if err == nil {
		err = os.WriteFile("third_party.txt", text, 0o644) //nolint:gosec // everybody may read it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// legal are the names of files that have to go with what they stand beside.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|notice|copying|copyright|patents)([.-].*)?$`)

// part is a module, with the folders of its packages that are built in.
type part struct {
	name, root string
	folders    []string
}

// collect reads the texts of all parts, in their order. It runs in any folder of the
// module, and asks for what Linux gets: the image.
func collect() ([]byte, error) {
	parts, err := built()
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	for _, p := range parts {
		texts, err := p.texts()
		if err != nil {
			return nil, err
		}
		all.WriteString(texts)
	}
	return all.Bytes(), nil
}

// built lists Go itself and the modules of the binary.
func built() ([]part, error) {
	root, err := command("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	list, err := command("list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}", modulePath+"/cmd/catflap")
	if err != nil {
		return nil, err
	}
	parts := []part{{name: "The Go standard library", root: root}}
	for line := range strings.Lines(list) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 {
			continue
		}
		if last := &parts[len(parts)-1]; last.name == fields[0] {
			last.folders = append(last.folders, fields[2])
			continue
		}
		parts = append(parts, part{fields[0], fields[1], []string{fields[2]}})
	}
	return merged(parts), nil
}

const modulePath = "github.com/catflap/catflap"

// merged joins the places of a module in the list, and sorts the modules.
func merged(parts []part) []part {
	slices.SortStableFunc(parts[1:], func(a, b part) int { return strings.Compare(a.name, b.name) })
	var l []part
	for _, p := range parts {
		if n := len(l); n > 0 && l[n-1].name == p.name {
			l[n-1].folders = append(l[n-1].folders, p.folders...)
			continue
		}
		l = append(l, p)
	}
	return l
}

// texts are those in the module's own folder, and in each folder on the way to a
// package of it.
func (p part) texts() (string, error) {
	folders := map[string]bool{p.root: true}
	for _, f := range p.folders {
		for ; len(f) > len(p.root); f = filepath.Dir(f) {
			folders[f] = true
		}
	}
	var b strings.Builder
	var names []string
	for f := range folders {
		entries, err := os.ReadDir(f)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if !e.IsDir() && legal.MatchString(e.Name()) {
				names = append(names, filepath.Join(f, e.Name()))
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		text, err := os.ReadFile(name) //nolint:gosec // of the modules that we are built of
		if err != nil {
			return "", err
		}
		below, err := filepath.Rel(p.root, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "=== %s: %s\n\n%s\n\n", p.name, filepath.ToSlash(below), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
	}
	if b.Len() == 0 {
		return "", errors.New(p.name + " has no licence text")
	}
	return b.String(), nil
}

func command(args ...string) (string, error) {
	c := exec.CommandContext(context.Background(), "go", args...) //nolint:gosec // the arguments are our own
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	c.Stderr = os.Stderr
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}
