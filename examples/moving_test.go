package examples

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/demo/standin"
)

// TestMoving starts each configuration of moving/ as it is, but for addresses: people have
// the user ids that they had, and nobody else comes in.
func TestMoving(t *testing.T) {
	for _, c := range []struct {
		file, id  string
		in, noOne []issuer.Change // who comes in, and who may nothing
	}{
		{
			"catcloak", "alice",
			[]issuer.Change{issuer.Claim("preferred_username", "alice"), issuer.Claim("realm_access", map[string]any{"roles": []string{"cat-user"}})},
			[]issuer.Change{issuer.Claim("preferred_username", "alice"), issuer.Claim("realm_access", map[string]any{"roles": []string{"offline_access"}})},
		},
		{"api-key", "people:f3a1", nil, nil},
		{
			"oauth2-proxy", "alice@example.com",
			[]issuer.Change{issuer.Claim("email", "alice@example.com"), issuer.Claim("email_verified", true), issuer.Claim("groups", []string{"cat-users"})},
			[]issuer.Change{issuer.Claim("email", "alice@example.com"), issuer.Claim("email_verified", true)},
		},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			s := serveMoved(t, c.file)
			if status, user := s.get(t, ""); status != http.StatusUnauthorized || user != "" {
				t.Errorf("a stranger: %d, at the Cat %q", status, user)
			}
			if status, user := s.get(t, s.issuer.Token("f3a1", c.in...)); status != http.StatusOK || user != c.id {
				t.Errorf("alice: %d, at the Cat %q", status, user)
			}
			if status, user := s.get(t, s.issuer.Token("f3a1", append(c.in, issuer.Claim("aud", "account"))...)); status != http.StatusUnauthorized || user != "" {
				t.Errorf("with a token for others: %d, at the Cat %q", status, user)
			}
			if c.noOne == nil {
				return
			}
			if status, user := s.get(t, s.issuer.Token("f3a1", c.noOne...)); status != http.StatusForbidden || user != "" {
				t.Errorf("without the role: %d, at the Cat %q", status, user)
			}
		})
	}
}

func serveMoved(t *testing.T, name string) served {
	t.Helper()
	config := read(t, "moving/"+name+".catflap.yaml")
	client := regexp.MustCompile(`client_id: (\S+)`).FindStringSubmatch(config)
	var s served
	var err error
	if s.issuer, err = issuer.New(issuer.Options{Audience: client[1]}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.issuer.Close() })
	s.issuer.Discover(map[string]any{"authorization_endpoint": s.issuer.URL() + "/authorize", "token_endpoint": s.issuer.URL() + "/token"})
	k := keys()
	if s.cat, err = standin.Start(standin.Options{APIKey: k["CCAT_API_KEY"], APIKeyWS: k["CCAT_API_KEY_WS"], JWTSecret: k["CCAT_JWT_SECRET"]}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cat.Close() })
	k["CAT_READER_ACCOUNT_ID"] = s.cat.AddAccount("catflap-reader", "a long password", standin.Permissions{
		"STATUS": {"READ"}, "STATIC": {"READ"}, "MEMORY": {"READ"}, "CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"},
	})
	k["CAT_ADMIN_ACCOUNT_ID"] = s.cat.AddAccount("catflap-admin", "a long password", standin.FullPermissions())
	listen, admin := freePort(t), freePort(t)
	s.url = "http://" + listen
	file := filepath.Join(t.TempDir(), "catflap.yaml")
	config = localize(t, config,
		[2]string{`^listen: \S+`, "listen: " + listen}, [2]string{`^admin_listen: \S+`, "admin_listen: " + admin},
		[2]string{`^  url: \S+`, "  url: " + s.cat.URL}, [2]string{`^    issuer: \S+`, "    issuer: " + s.issuer.URL()},
	)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, m := range regexp.MustCompile(`\{env: (\w+)\}`).FindAllStringSubmatch(config, -1) {
		value, known := k[m[1]]
		if !known {
			value = strings.Repeat("z", 40) // one of the client's or of ours
		}
		env = append(env, m[1]+"="+value)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Env = env
		return cmd
	}
	if out, err := command("check", file).CombinedOutput(); err != nil || strings.Contains(string(out), "warning:") {
		t.Fatalf("check: %v\n%s", err, out)
	}
	start(t, command("run", "--config", file), func() bool { return command("healthcheck", "--addr", admin, "--ready").Run() == nil })
	return s
}
