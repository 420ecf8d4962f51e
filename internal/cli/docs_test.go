package cli_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/internal/cli"
)

// page is one Markdown file.
type page struct{ name, text string }

// pages are all that we have written.
func pages(t *testing.T) []page {
	t.Helper()
	root := filepath.Join("..", "..")
	var l []page
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "internal"):
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".md"):
			return nil
		}
		text, err := os.ReadFile(name)
		l = append(l, page{name, string(text)})
		return err
	})
	if err != nil || len(l) < 10 {
		t.Fatal(len(l), err)
	}
	return l
}

// fences are the blocks of one language, by their line.
func (p page) fences(language string) map[int]string {
	found := map[int]string{}
	var block strings.Builder
	begun := 0
	n := 0
	for line := range strings.Lines(p.text) {
		n++
		switch trimmed := strings.TrimSpace(line); {
		case begun == 0 && trimmed == "```"+language:
			begun = n
			block.Reset()
		case begun > 0 && trimmed == "```":
			found[begun] = block.String()
			begun = 0
		case begun > 0:
			block.WriteString(line)
		}
	}
	return found
}

// TestDocumentedConfigurations checks each configuration that a page shows, as
// somebody would who copies it.
func TestDocumentedConfigurations(t *testing.T) {
	env := regexp.MustCompile(`\{env: (\w+)\}`)
	files := regexp.MustCompile(`jwks_file: ([\w.]+)`)
	apiKeys := regexp.MustCompile(`keys_file: ([\w.]+)`)
	keys, err := os.ReadFile(filepath.Join("..", "..", "internal", "cli", "testdata", "docs.jwks.json"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, p := range pages(t) {
		for line, text := range p.fences("yaml") {
			at := fmt.Sprintf("%s:%d", p.name, line)
			if !regexp.MustCompile(`(?m)^version: 1$`).MatchString(text) {
				t.Errorf("%s: not a whole configuration, so that nobody can check it", at)
				continue
			}
			for _, name := range env.FindAllStringSubmatch(text, -1) {
				t.Setenv(name[1], strings.Repeat("x", 64))
			}
			dir := t.TempDir()
			for _, name := range files.FindAllStringSubmatch(text, -1) {
				write(t, filepath.Join(dir, name[1]), keys)
			}
			writeCertificates(t, dir, text)
			for _, name := range apiKeys.FindAllStringSubmatch(text, -1) {
				makeKey(t, filepath.Join(dir, name[1]))
			}
			file := filepath.Join(dir, "catflap.yaml")
			write(t, file, []byte(text))
			var stdout, stderr bytes.Buffer
			if code := cli.Main([]string{"check", file}, &stdout, &stderr, builtin.Registry()); code != 0 || stderr.Len() > 0 {
				t.Errorf("%s: code %d\n%s", at, code, stderr.String())
			}
			checked++
		}
		for line, text := range p.fences("json") {
			if !json.Valid([]byte(text)) {
				t.Errorf("%s:%d: no JSON", p.name, line)
			}
		}
	}
	if checked < 5 {
		t.Errorf("only %d configurations were found", checked)
	}
}

// makeKey makes an API key as somebody would.
func makeKey(t *testing.T, file string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := cli.Main([]string{"key", "new", "--file", file, "--owner", "nightly-report"}, &stdout, &stderr, builtin.Registry()); code != 0 {
		t.Fatal(stderr.String())
	}
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeCertificates puts in place what a configuration with TLS names.
func writeCertificates(t *testing.T, dir, text string) {
	t.Helper()
	if !strings.Contains(text, "client_ca_file: people-ca.pem") {
		return
	}
	ca := pki.New(t, "people")
	certificate, key := pki.Files(t, ca.Issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"chat.example.com"} }))
	for name, content := range map[string]string{"tls.crt": certificate, "tls.key": key, "people-ca.pem": ca.PEM()} {
		write(t, filepath.Join(dir, name), []byte(content))
	}
}

// TestDocumentedCommands holds that each command and each flag that a page shows
// is there.
func TestDocumentedCommands(t *testing.T) {
	shown := regexp.MustCompile("(?:^|[`| ]|\\./|/)catflap(?:-teamtoken)? ((?:run|check|demo|cat-accounts|import|key|healthcheck|schema|version|help)\\b[^`|#\n]*)")
	flags := regexp.MustCompile(`(?:^| )(--?[a-z][a-z-]*)`)
	found := 0
	for _, p := range pages(t) {
		for _, match := range shown.FindAllStringSubmatch(p.text, -1) {
			found++
			words := strings.Fields(match[1])
			name := words[:1]
			switch {
			case words[0] == "cat-accounts":
				name = []string{"cat-accounts", "create"}
			case words[0] == "key" && len(words) > 1:
				name = words[:2]
			case words[0] == "import":
				name = []string{"import", "catcloak"}
			}
			var stdout, stderr bytes.Buffer
			if code := cli.Main(append(name, "--help"), &stdout, &stderr, builtin.Registry()); code != 0 {
				t.Errorf("%s: catflap %s: %s", p.name, match[1], stderr.String())
			}
			for _, f := range flags.FindAllStringSubmatch(match[1], -1) {
				if !strings.Contains(stdout.String(), "  --"+strings.TrimLeft(f[1], "-")) || !strings.HasPrefix(f[1], "--") {
					t.Errorf("%s: catflap %s: there is no %s", p.name, match[1], f[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d commands were found", found)
	}
}

// TestDocumentedLinks follows the links from page to page and to files.
func TestDocumentedLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]*)(?:#([^)]*))?\)`)
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.Contains(m[1], "://") || m[1] == "" {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(p.name), m[1])); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
		}
	}
}
