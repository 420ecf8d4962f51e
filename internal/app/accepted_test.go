package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/config"
	asbrowsers "github.com/catflap/catflap/internal/origin"
	"github.com/catflap/catflap/proxy"
)

// mutations are values that stand where some value stood, and whole fields that are
// added: each is a spelling that people have tried.
func mutations() (values, fields []string) {
	values = []string{
		`""`, "0", "1", "-1", "x", `"*"`, "[]", "{}", "[x]", "off", "true", "99999999999", "1ns", "90d", "2160h", "1KiB", "null",
		"http://LOCALHOST:8080", "https://Chat.Example.com:443", "http://127.0.0.2:8080", "http://chat.localhost:8080", "https://cät.example",
		"/goodbye", "GET /a/**", "localhost:0", "[::1]:0", "api_key", "minted", "redis", "separate", "{env: QUOTED}", "{env: LINES}", "{file: bom}", "{file: bare}",
	}
	fields = []string{
		"pages: {logo_file: logo.gif}", "pages: {logo_file: prefixed.svg}", "pages: {logo_file: bare.svg}", "pages: {logo_file: keys.json}",
		"pages: {title: \"A cat's flap\"}",
		"public_url: http://LOCALHOST:8080", "public_url: http://localhost:08080", "public_url: https://CHAT.example.com:443", "public_url: https://cät.example",
		"public_url: http://127.1:8080", "public_url: http://[0:0::1]:8080", "public_url: http://127.0.0.9", "public_url: http://chat.localhost",
		"origins: [https://app.example.com]", "origins: [\"https://app.example.com:443\"]", "origins: [https://APP.example.com]", "origins: [\"http://[::1]:3000\"]",
		"origins: [\"http://127.0.0.1:3000\", \"chrome-extension://abcdef\"]",
		"tls: {cert_file: tls.crt, key_file: tls.key}", "tls: {cert_file: tls.key, key_file: tls.crt}",
		"trusted_proxies: [10.0.0.0/8, \"::1/128\"]", "sessions: {keys: [{file: bare}]}", "sessions: {keys: [{env: LONG}, {file: random}], idle: 1m, lifetime: 1m}",
		"sessions: {after_logout: /goodbye}", "sessions: {store: redis, keys: [{env: LONG}], redis: {url: \"redis://LOCALHOST:9/0\"}}",
		"limits: {connections: 1}", "limits: {header_bytes: 1, headers: 1}", "limits: {header_bytes: 1GiB}", "limits: {cached_tokens: 1, verifications: 1000000}", "limits: {body_idle: 1ns, idle: 1ns, stop_grace: 1ns}",
		"websocket: {ping: 1ns}", "websocket: {max_sockets: 1, max_sockets_per_user: 1}", "websocket: {linger: 0s, message_rate: 0, session: separate}", "websocket: {max_message: 1B, max_reply: 1B}",
		"permissions: {everyone: [admin], public: [\"* /a/**\"]}", "permissions: {endpoints: [{match: \"* /b/*\", needs: everyone}]}", "permissions: {sets: {a: [b], b: [a]}, everyone: [a]}",
		"log: {format: text, level: error, audit: all}",
	}
	return values, fields
}

// TestWhatTheCheckAcceptsServes: whatever the check accepts, run opens and serves, the
// whole of it; and whatever it refuses, run refuses.
func TestWhatTheCheckAcceptsServes(t *testing.T) {
	l := newAcceptance(t)
	for _, file := range l.files(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		l.try(t, file, l.local(string(b)), 1)
	}
	values, fields := mutations()
	for _, base := range l.bases {
		for _, f := range fields {
			name, _, _ := strings.Cut(f, ":")
			l.try(t, f, regexp.MustCompile(`(?m)^`+name+`:.*\n(?:[ -].*\n)*`).ReplaceAllString(base, "")+f+"\n", 8)
		}
		for at := range l.written.FindAllStringIndex(base, -1) {
			for _, v := range values {
				if text := l.replaced(base, at, v); every(text, 3) {
					l.try(t, v, text, 20)
				}
			}
		}
	}
	t.Logf("%d files: %d accepted, of which %d were opened; %d of the others were tried", l.seen, l.accepted, l.opened, l.refused)
	if l.opened < 60 || l.refused < 20 {
		t.Error("too few to say anything")
	}
}

// publicKey is a set of one key.
const publicKey = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}]}`

type acceptance struct {
	dir                             string
	seen, accepted, opened, refused int
	bases                           []string // accepted files without a mutation
	written                         *regexp.Regexp
}

// newAcceptance makes what the files name.
func newAcceptance(t *testing.T) *acceptance {
	l := &acceptance{dir: t.TempDir(), written: regexp.MustCompile(`(?m): [^\s{\[].*$`)}
	for name, content := range map[string]string{
		"keys.json": publicKey, "staff.jwks.json": publicKey, "partners.jwks.json": publicKey, "key": strings.Repeat("k", 48),
		"logo.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`, "logo.gif": "GIF89a", "prefixed.svg": `<s:svg xmlns:s="http://www.w3.org/2000/svg"/>`, "bare.svg": "<svg/>",
		"bom": "\ufeff" + strings.Repeat("k", 48), "bare": strings.Repeat("b", 48) + "\r\n", "random": strings.Repeat("\xff\x00\xfe", 16),
	} {
		l.put(t, name, content)
	}
	for serial, name := range []string{"tls", "redis", "ca"} {
		cert, key, _ := keyPair(t, int64(serial+1))
		l.put(t, name+".crt", cert)
		l.put(t, name+".key", key)
	}
	if err := os.Rename(filepath.Join(l.dir, "ca.crt"), filepath.Join(l.dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("QUOTED", `"`+strings.Repeat("q", 48)+`"`)
	t.Setenv("LINES", strings.Repeat("q", 48)+"\n\n")
	t.Setenv("LONG", strings.Repeat("q", 48))
	return l
}

func (l *acceptance) put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (l *acceptance) files(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../../config/testdata/good/*.yaml", "../../config/testdata/bad/*.yaml", "../../examples/*.yaml", "../../examples/*/catflap.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		all = append(all, files...)
	}
	for _, file := range all {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`env: ([A-Z][A-Z0-9_]*)`).FindAllStringSubmatch(string(b), -1) {
			t.Setenv(name[1], strings.Repeat("e", 48))
		}
	}
	return all
}

// local keeps a file to this machine: nobody listens there, and nobody has to.
func (l *acceptance) local(text string) string {
	for from, to := range map[string]string{
		`(https?)://[a-z0-9.-]+:1865`: "$1://127.0.0.1:9", `://cheshire-cat-core:80`: "://127.0.0.1:9", `(rediss?)://redis[a-z.]*`: "$1://127.0.0.1",
		`https://[a-z.]+\.example\.com(/[a-z]+)*/jwks\.json`: "http://127.0.0.1:9/jwks.json", `/run/secrets/[a-z-]+`: "key",
	} {
		text = regexp.MustCompile(from).ReplaceAllString(text, to)
	}
	return text
}

// replaced writes v for the n-th plain value.
func (l *acceptance) replaced(text string, n int, v string) string {
	at := l.written.FindAllStringIndex(text, -1)[n]
	return text[:at[0]] + ": " + v + text[at[1]:]
}

// try asks the check, and then run. One of so many that are accepted is opened.
func (l *acceptance) try(t *testing.T, name, text string, many uint32) {
	t.Helper()
	l.seen++
	l.put(t, "catflap.yaml", text)
	c, _, err := Load(filepath.Join(l.dir, "catflap.yaml"), builtin.Registry())
	if err != nil {
		if every(text, 60) {
			l.refused++
			if ran := l.run(nil); ran == nil || ran.Error() != err.Error() {
				t.Errorf("%s: the check says %v, run %v\n%s", name, err, ran, text)
			}
		}
		return
	}
	l.accepted++
	if many == 1 && !strings.Contains(text, "store: redis") { // which takes two seconds to leave one that is not there
		l.bases = append(l.bases, text)
	}
	if many > 1 && !every(text, many) {
		return
	}
	l.opened++
	l.put(t, "catflap.yaml", onFreePorts(text))
	if err := l.run(func(public string) error { return serves(c, public) }); err != nil {
		t.Errorf("%s: the check accepts it, and: %v\n%s", name, err, text)
	}
}

func every(text string, n uint32) bool {
	h := fnv.New32a()
	_, _ = io.WriteString(h, text)
	return h.Sum32()%n == 0
}

// onFreePorts keeps the host of what is listened on.
func onFreePorts(text string) string {
	for _, field := range []string{"listen", "admin_listen"} {
		text = regexp.MustCompile(`(?m)^`+field+`:.*\n`).ReplaceAllString(text, "") + field + ": 127.0.0.1:0\n"
	}
	return text
}

// run starts Catflap, looks at it and ends it.
func (l *acceptance) run(look func(public string) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var looked error
	err := Run(ctx, Options{
		ConfigFile: filepath.Join(l.dir, "catflap.yaml"), Handlers: builtin.Registry(), Version: "test", Stderr: io.Discard,
		Ready: func(public, _ net.Addr) {
			defer cancel()
			if look != nil {
				looked = look(public.String())
			}
		},
	})
	if err == nil {
		err = looked
	}
	return err
}

// serves asks for what needs no Cat: the pages of each origin that may call, the way in
// and the logo.
func serves(c *config.Config, public string) error {
	client, scheme := plain(), "http://"
	if c.TLS != nil {
		client.Transport, scheme = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, "https://"
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	origins := append([]string{}, c.Origins...)
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil {
			return err
		}
		own, err := asbrowsers.Of(u)
		if err != nil {
			return err
		}
		origins = append(origins, own)
	}
	for _, o := range origins {
		if _, h, err := fetch(client, scheme+public+"/", http.Header{"Origin": {o}}); err != nil || h.Get("Access-Control-Allow-Origin") != o {
			return fmt.Errorf("a page of %s may not call: %v, %w", o, h, err)
		}
	}
	if !c.SignsIn() {
		return nil
	}
	if status, _, err := fetch(client, scheme+public+proxy.PagePrefix+"signed-out", nil); err != nil || status != http.StatusOK && status != http.StatusSeeOther {
		return fmt.Errorf("our page: %d, %w", status, err)
	}
	if c.Pages.LogoFile != "" {
		status, h, err := fetch(client, scheme+public+proxy.PagePrefix+"logo", nil)
		if err != nil || status != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "image/") {
			return fmt.Errorf("the logo: %d, %v, %w", status, h, err)
		}
	}
	return nil
}

func fetch(c *http.Client, address string, h http.Header) (int, http.Header, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	maps.Copy(req.Header, h)
	resp, err := c.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header, err
}
