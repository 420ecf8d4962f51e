package examples

import (
	"bytes"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/demo/standin"
)

// configPath is where a container finds its configuration.
const configPath = "/etc/catflap/catflap.yaml"

// example is what an example says of running Catflap.
type example struct {
	program string   // the binary
	args    []string // as the example has them, with configPath
	env     []string // the names of the variables that it sets
	config  string   // the text of the configuration
}

// served is an example at work, between an issuer and a stand-in Cat.
type served struct {
	url    string
	issuer *issuer.Issuer
	cat    *standin.Running
}

// localize replaces what a copy of the example would change (addresses, the
// issuer) by what there is on this machine. Everything else stays as it is.
func localize(t *testing.T, config string, replacements ...[2]string) string {
	t.Helper()
	for _, r := range replacements {
		pattern := regexp.MustCompile(`(?m)` + r[0])
		if !pattern.MatchString(config) {
			t.Fatalf("the configuration has nothing that fits %s", r[0])
		}
		config = pattern.ReplaceAllString(config, r[1])
	}
	return config
}

// serve checks the configuration and runs the example's very command with it, with
// no other variables than the example's own.
func serve(t *testing.T, e example) served {
	t.Helper()
	l := newLab(t)
	l.program = e.program
	l.sets(t, e.env...)
	from, err := issuer.New(issuer.Options{Audience: "cat"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	config := l.localize(t, e.config,
		[2]string{`^    issuer: \S+`, "    issuer: " + from.URL()},
		[2]string{`(jwks|pem)_url: ("[^"]+"|[^}\s]+)`, "${1}_url: \"" + from.URL() + "/${1}/{kid}\""},
	)
	file := l.write(t, "catflap.yaml", strings.ReplaceAll(config, "/jwks/{kid}", "/jwks"))
	l.check(t, file)
	args := slices.Clone(e.args)
	at := slices.Index(args, configPath)
	if at < 0 {
		t.Fatalf("%q does not name %s", args, configPath)
	}
	args[at] = file
	s := l.run(t, args...)
	s.issuer = from
	return s
}

// start runs a command until the test ends, and waits until it is ready.
func start(t *testing.T, cmd *exec.Cmd, ready func() bool) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := <-ended; err != nil {
			t.Errorf("%v\n%s", err, &log)
		}
	})
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not get ready")
		}
	}
}

// get asks for the Cat's status with a token and returns the answer's status and
// the user id that the Cat saw.
func (s served) get(t *testing.T, token string) (status int, user string) {
	t.Helper()
	if token == "" {
		return s.getWith(t, "", "")
	}
	return s.getWith(t, "Authorization", "Bearer "+token)
}

// getWith is get with a header in which the token is.
func (s served) getWith(t *testing.T, header, value string) (status int, user string) {
	t.Helper()
	s.cat.ForgetRequests()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("user_id", "forged")
	if header != "" {
		req.Header.Set(header, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode, userAt(s.cat)
}

// mustServe is the point of every example: a stranger stays out, and a person is
// themselves.
func (s served) mustServe(t *testing.T) {
	t.Helper()
	if status, user := s.get(t, ""); status != http.StatusUnauthorized || user != "" {
		t.Errorf("a stranger: %d, at the Cat %q", status, user)
	}
	if status, user := s.get(t, s.issuer.Token("alice")); status != http.StatusOK || user != "staff:alice" {
		t.Errorf("alice: %d, at the Cat %q", status, user)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
