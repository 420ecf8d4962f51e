package imports

import (
	"strconv"
	"strings"
	"testing"
)

// rule says what the packages of one pattern may import of the module. In a
// pattern * is one segment, and ** at the end is any number of them, none too.
type rule struct {
	packages string
	may      string // patterns, separated by spaces
}

// rules are tried in their order; the first that fits a package decides.
//
// cmd -> internal/cli -> internal/app -> everything that is not a concrete handler;
// proxy -> authhandlers, proxy/*; builtin -> the handlers -> authhandlers. config and
// authhandlers know nothing of each other: the registry of types is handed to
// config. config/value is a leaf that everybody may use, so that a handler's
// settings have types.
func rules() []rule {
	return []rule{
		{"cmd/catflap", "authhandlers/builtin cmd"},
		{"cmd", "authhandlers internal/cli"},

		{"authhandlers", ""},
		{"authhandlers/authtest/**", "authhandlers authhandlers/authtest/**"},
		{"authhandlers/builtin", "authhandlers authhandlers/*"},
		{"authhandlers/oidc", "authhandlers authhandlers/jwt config/value internal/keyset/** internal/loopback internal/refresh"},
		{"authhandlers/forwarded", "authhandlers config/value internal/certname internal/clientcert"},
		{"authhandlers/mtls", "authhandlers internal/certname internal/clientcert"},
		{"authhandlers/anonymous", "authhandlers config/value internal/base64url internal/pace internal/seal"},
		{"authhandlers/introspection", "authhandlers authhandlers/jwt config/value internal/inquiry internal/keyset/**"},
		{"authhandlers/webhook", "authhandlers authhandlers/jwt config/value internal/inquiry internal/keyset/**"},
		{"authhandlers/apikey", "authhandlers config/value internal/keyfile internal/reread proxy/cat"},
		{"authhandlers/catuser", "authhandlers config/value internal/keyset/** internal/wait"},
		{"authhandlers/**", "authhandlers config/value internal/keyset/** internal/tokencache"},

		{"config/value", ""},
		{"config", "config/value internal/clientcert internal/loopback internal/origin internal/picture internal/seal internal/spelling"},

		{"proxy/cat", "internal/wait"},
		{"proxy/cat/cattest", "proxy/cat"},
		{"proxy/page", "internal/picture"},
		{"proxy/upstream/**", "internal/required internal/wait internal/wsconn proxy/cat proxy/upstream"},
		{"proxy/refusals/**", "authhandlers proxy/refusals"},
		{"proxy/session", "authhandlers internal/base64url internal/deadline internal/flight internal/loopback internal/required internal/seal internal/wait proxy/refusals"},
		{"proxy/session/sessiontest", "proxy/session"},
		{"proxy/chat", "authhandlers internal/lock internal/backoff internal/deadline internal/pace internal/wait internal/wsconn proxy/attributes proxy/cat"},
		{"proxy/**", "authhandlers internal/backoff internal/deadline internal/pace internal/requestid internal/required internal/seal internal/wait internal/wsconn proxy/*"},

		{"internal/loopback", ""},
		{"internal/origin", ""},
		{"internal/picture", ""},
		{"internal/certname", ""},
		{"internal/clientcert", "config/value internal/reread"},
		{"internal/keyset/**", "internal/backoff internal/base64url internal/flight internal/keyset/** internal/loopback internal/refresh internal/reread"},
		{"internal/tokencache", "internal/flight"},
		{"internal/pace", ""},
		{"internal/backoff", ""},
		{"internal/base64url", ""},
		{"internal/deadline", ""},
		{"internal/flight", ""},
		{"internal/refresh", "internal/backoff"},
		{"internal/requestid", ""},
		{"internal/required", ""},
		{"internal/seal", ""},
		{"internal/wait", ""},
		{"internal/spelling", ""},
		{"internal/inquiry", "authhandlers internal/backoff internal/base64url internal/keyset/** internal/pace internal/seal internal/tokencache internal/wait"},
		{"internal/lock", ""},
		{"internal/wsconn", "internal/pace"},
		{"internal/reread", ""},
		{"internal/keyfile", "authhandlers config/value"},
		{"internal/memlimit", ""},
		{"internal/gctune", "internal/memlimit"},
		{"internal/telemetry", "config proxy proxy/*"},
		{"internal/app", "authhandlers config config/value internal/clientcert internal/pace internal/reread internal/seal internal/telemetry proxy proxy/*"},
		{"internal/cli", "authhandlers config internal/app internal/catcloak internal/demo internal/gctune internal/keyfile internal/licences internal/spelling proxy/cat"},
		{"internal/catcloak", "internal/loopback proxy/attributes proxy/cat"},
		{"internal/licences/generate", "internal/licences"},
		{"internal/licences", ""},

		{"internal/demo/**", "internal/demo/**"},
		{"internal/configdoc/generate", "authhandlers/builtin config internal/configdoc"},
		{"internal/configdoc", "config config/value"},

		// Not part of the product: they look at it from outside.
		{"internal/bench/**", "**"},
		{"internal/e2e/**", "internal/e2e/**"},
		{"internal/imports", ""},
		{"examples", ""},
	}
}

func TestWhoMayImportWhom(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		r, ok := ruleFor(s.dir)
		if !ok {
			t.Errorf("%s: no rule says what package %s may import; decide, and write it here", s.name, s.dir)
			continue
		}
		used[r.packages] = true
		for _, i := range s.file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			ours, ok := strings.CutPrefix(name, module)
			if ok && !anyFits(r.may, ours) {
				t.Errorf("%s: %s may not import %s", s.at(i), s.dir, ours)
			}
		}
	}
	for _, r := range rules() {
		if !used[r.packages] && r.packages != "examples" && r.packages != "proxy/cat/cattest" {
			t.Errorf("the rule for %s means no package; remove it", r.packages)
		}
	}
}

// TestRules holds the test itself: what must not be is seen.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"proxy", "authhandlers", true},
		{"proxy", "authhandlers/jwt", false},
		{"proxy", "config", false},
		{"proxy/cat", "authhandlers", false},
		{"proxy/session", "proxy/chat", false},
		{"proxy/session", "authhandlers/oidc", false},
		{"authhandlers", "config/value", false},
		{"authhandlers/jwt", "internal/keyset/strictjson", true},
		{"authhandlers/jwt", "proxy", false},
		{"authhandlers/jwt", "authhandlers/oidc", false},
		{"authhandlers/oidc", "authhandlers/jwt", true},
		{"authhandlers/oidc", "internal/tokencache", false},
		{"authhandlers/jwt", "authhandlers/builtin", false},
		{"config", "authhandlers", false},
		{"internal/app", "authhandlers/builtin", false},
		{"internal/app", "internal/demo", false},
		{"internal/keyset", "config", false},
		{"cmd/catflap", "authhandlers/builtin", true},
		{"internal/demo/standin", "proxy/cat", false},
	} {
		r, _ := ruleFor(c.from)
		if got := anyFits(r.may, c.to); got != c.want {
			t.Errorf("%s -> %s: %v", c.from, c.to, got)
		}
	}
}

func ruleFor(dir string) (rule, bool) {
	for _, r := range rules() {
		if fits(r.packages, dir) {
			return r, true
		}
	}
	return rule{}, false
}

func anyFits(patterns, dir string) bool {
	for p := range strings.FieldsSeq(patterns) {
		if fits(p, dir) {
			return true
		}
	}
	return false
}

func fits(pattern, dir string) bool {
	if pattern == "**" {
		return true
	}
	if parent, ok := strings.CutSuffix(pattern, "/**"); ok {
		return dir == parent || strings.HasPrefix(dir, parent+"/")
	}
	if parent, ok := strings.CutSuffix(pattern, "/*"); ok {
		rest, below := strings.CutPrefix(dir, parent+"/")
		return below && !strings.Contains(rest, "/")
	}
	return pattern == dir
}
