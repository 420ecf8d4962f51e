// Package teamtoken is an authentication handler of one's own: a fixed token for
// each member of a small team, kept as its SHA-256.
//
// The rule it guards: the file that lists the members opens no door. It holds the
// digests of long random tokens, and a presented token is compared with every one
// of them in the same time, whether it fits or not.
package teamtoken

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// prefix marks the tokens of this handler, so that those of others are left to
// the next handler.
const prefix = "team_"

// The bounds of a token. One that is too short to be 32 random bytes in hex could
// be found from its digest, so it is never accepted, whatever the file says.
const (
	minLength = len(prefix) + 2*32
	maxLength = 256
)

// codeUnknown is a reason of this handler's own, for the client and the audit log.
const codeUnknown authhandlers.Code = "unknown_team_token"

// Config is what may stand in the configuration beside name, alias and type.
type Config struct {
	// The members of the team.
	Members []Member `yaml:"members" required:"true"`
}

// Member is one person.
type Member struct {
	// Who it is; the user id is made of it.
	Subject string `yaml:"subject" required:"true"`
	// The SHA-256 of the member's token, in hex: printf %s "$TOKEN" | sha256sum
	SHA256 string `yaml:"sha256" required:"true"`
	// The groups that grants can name.
	Groups []string `yaml:"groups"`
}

// Validate implements authhandlers.Config.
func (c *Config) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for i, m := range c.Members {
		if d, err := hex.DecodeString(m.SHA256); err != nil || len(d) != sha256.Size {
			errs = append(errs, &authhandlers.FieldError{
				Field: fmt.Sprintf("members[%d].sha256", i), Problem: "no SHA-256 in hex", Hint: `printf %s "$TOKEN" | sha256sum`,
			})
		}
		if seen[m.Subject] {
			errs = append(errs, &authhandlers.FieldError{
				Field: fmt.Sprintf("members[%d].subject", i), Problem: "listed twice", Hint: "give each member one entry",
			})
		}
		seen[m.Subject] = true
	}
	return errors.Join(errs...)
}

// Open implements authhandlers.Config.
func (c *Config) Open(_ context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	h := &handler{issuer: "urn:teamtoken:" + env.Name}
	for _, m := range c.Members {
		digest, err := hex.DecodeString(m.SHA256)
		if err != nil {
			return nil, err
		}
		h.members = append(h.members, member{[sha256.Size]byte(digest), m.Subject, m.Groups})
	}
	return h, nil
}

// YieldsGroups says that grants by groups can mean this handler.
func (c *Config) YieldsGroups() bool { return true }

type handler struct {
	issuer  string
	members []member
}

type member struct {
	digest  [sha256.Size]byte
	subject string
	groups  []string
}

// Authenticate implements authhandlers.AuthHandler.
func (h *handler) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() || !strings.HasPrefix(r.Credential.Value, prefix) {
		return nil, authhandlers.ErrNoCredential
	}
	if n := len(r.Credential.Value); n < minLength || n > maxLength {
		return nil, authhandlers.Reject(authhandlers.CodeMalformedToken, "this is no whole team token", "%d bytes", n)
	}
	digest := sha256.Sum256([]byte(r.Credential.Value))
	found := -1
	for i := range h.members {
		if subtle.ConstantTimeCompare(digest[:], h.members[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return nil, &authhandlers.Rejection{Code: codeUnknown, Hint: "this team token is not known, or no longer"}
	}
	m := &h.members[found]
	return &authhandlers.AuthUserInfo{Issuer: h.issuer, Subject: m.subject, Name: m.subject, Groups: m.groups}, nil
}
