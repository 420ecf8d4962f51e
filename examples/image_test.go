package examples

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// instruction is one of a Dockerfile.
type instruction struct{ name, args string }

// dockerfile reads the repository's Dockerfile, continued lines joined.
func dockerfile() ([]instruction, error) {
	text, err := os.ReadFile(filepath.Join(repository, "Dockerfile"))
	if err != nil {
		return nil, err
	}
	var l []instruction
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, args, _ := strings.Cut(line, " ")
		l = append(l, instruction{strings.ToUpper(name), strings.TrimSpace(args)})
	}
	return l, nil
}

// lastOf is the last instruction of a name, "" when there is none.
func lastOf(l []instruction, name string) (args string) {
	for _, i := range l {
		if i.name == name {
			args = i.args
		}
	}
	return args
}

// words reads the exec form of a command.
func words(args string) (l []string, err error) {
	if err := json.Unmarshal([]byte(args), &l); err != nil {
		return nil, fmt.Errorf("%s is not in the exec form, and the image has no shell: %w", args, err)
	}
	return l, nil
}

// buildImage does what building the image does: in a copy of the build's context,
// so that a file which .dockerignore keeps out is missing here too, it runs the
// Dockerfile's own command, and puts the binary at out.
func buildImage(context, out string) error {
	if err := copyContext(context); err != nil {
		return err
	}
	l, err := dockerfile()
	if err != nil {
		return err
	}
	for _, i := range l {
		if i.name != "RUN" || !strings.Contains(i.args, "go build") {
			continue
		}
		if !strings.Contains(i.args, "-o /catflap ") {
			return fmt.Errorf("the image's binary is not /catflap: %s", i.args)
		}
		cmd := exec.Command("sh", "-euc", strings.Replace(i.args, "-o /catflap ", "-o '"+out+"' ", 1))
		cmd.Dir, cmd.Env = context, append(os.Environ(), "VERSION="+builtVersion)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return cmd.Run()
	}
	return fmt.Errorf("the Dockerfile has no go build")
}

func copyContext(to string) error {
	text, err := os.ReadFile(filepath.Join(repository, ".dockerignore"))
	if err != nil {
		return err
	}
	patterns := strings.Fields(string(text))
	return filepath.WalkDir(repository, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(repository, name)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		switch {
		case ignored(patterns, below) && d.IsDir():
			return filepath.SkipDir
		case ignored(patterns, below):
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, below), 0o755)
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, below), content, 0o644)
	})
}

// ignored knows the patterns that our .dockerignore has: a path, and **/ before a name.
func ignored(patterns []string, below string) bool {
	for _, p := range patterns {
		subject := below
		if rest, ok := strings.CutPrefix(p, "**/"); ok {
			p, subject = rest, path.Base(below)
		}
		if ok, err := path.Match(p, subject); ok || err != nil {
			return true
		}
	}
	return false
}
