package imports

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// wireNames are what the Cat believes. Outside of proxy/cat they are constants of
// that package, or they are not written at all.
func wireNames() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"user_id":      regexp.MustCompile(`(^|[^A-Za-z0-9_])user_id($|[^A-Za-z0-9_])`),
		"access_token": regexp.MustCompile(`(^|[^A-Za-z0-9_])access_token($|[^A-Za-z0-9_])`),
		"/ws/":         regexp.MustCompile(`/ws/`),
		"CCAT_":        regexp.MustCompile(`CCAT_`),
	}
}

// speaksCat are the packages that may: the contract itself, what plays the Cat, and
// what looks at the product from outside.
const speaksCat = "proxy/cat/** internal/demo/** internal/e2e/** internal/bench/** internal/imports"

// excepted are the literals that look like one and are none, by their file.
func excepted() map[string][]string {
	return map[string][]string{
		// The name of a setting: which claim names the person.
		"authhandlers/jwt/config.go":     {"user_id"},
		"authhandlers/jwt/validate.go":   {"user_id"},
		"authhandlers/jwt/samepeople.go": {"user_id"},
		"config/validate_samepeople.go":  {"user_id"},
		"authhandlers/oidc/config.go":    {"user_id"},
		"authhandlers/oidc/logout.go":    {"user_id"},
		"authhandlers/mtls/config.go":    {"user_id"},
		"authhandlers/mtls/handler.go":   {"user_id"},
		// Headers that no proxy may name people in.
		"authhandlers/forwarded/validate.go":   {"user_id", "access_token"},
		"authhandlers/introspection/config.go": {"user_id"},
		"authhandlers/webhook/config.go":       {"user_id"},
		"authhandlers/webhook/validate.go":     {"user_id"},
		// A member of a service's answer.
		"authhandlers/webhook/answer.go": {"user_id"},
		// The table of user ids, in a name of a JSON member.
		"authhandlers/authtest/userids.go": {"user_id"},
		// A member of a provider's answer (RFC 6749 §5.1).
		"authhandlers/oidc/tokenendpoint.go": {"access_token"},
		// The kind of a token (RFC 7662 §2.1).
		"authhandlers/introspection/handler.go": {"access_token"},
		"authhandlers/introspection/judge.go":   {"access_token"},
		// The name of a carrier in the audit log.
		"authhandlers/handler.go": {"access_token"},
		// The Cat's own variables, where a text tells the operator what to set.
		"config/config.go":             {"CCAT_"},
		"config/validate_cat.go":       {"CCAT_"},
		"internal/cli/accounts.go":     {"CCAT_"},
		"internal/cli/accountkinds.go": {"CCAT_"},
		"internal/cli/import.go":       {"CCAT_"},
		// What operators are told to do.
		"proxy/refusals/credentials.go": {"user_id", "access_token"},
		"proxy/refusals/faults.go":      {"CCAT_"},
		// The text of a configuration.
		"internal/catcloak/convert.go": {"user_id", "CCAT_"},
	}
}

func TestOnlyTheContractSpellsTheCatsNames(t *testing.T) {
	names, allowed := wireNames(), excepted()
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || anyFits(speaksCat, s.dir) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			for name, pattern := range names {
				if !pattern.MatchString(text) {
					continue
				}
				if strings.Contains(" "+strings.Join(allowed[s.name], " ")+" ", " "+name+" ") {
					seen[s.name+" "+name] = true
					continue
				}
				t.Errorf("%s: %s is spelt here; take the constant of proxy/cat", s.at(literal), name)
			}
			return true
		})
	}
	for file, words := range allowed {
		for _, w := range words {
			if !seen[file+" "+w] {
				t.Errorf("%s no longer spells %s: remove the exception", file, w)
			}
		}
	}
}
