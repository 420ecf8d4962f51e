package authhandlers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

func readUserIDs(t testing.TB) authtest.UserIDs {
	t.Helper()
	v := authtest.ReadUserIDs(t)
	if len(v.Rows) != 102 {
		t.Fatalf("%d rows, want 102", len(v.Rows))
	}
	return v
}

// subjectOf reads a row's claim as a handler does: strictly, and only a string.
func subjectOf(r authtest.UserIDRow) (subject, reason string) {
	if r.Claim != nil {
		return *r.Claim, ""
	}
	if r.Reason == "missing" {
		return "", "missing"
	}
	o, err := strictjson.ParseObject(`{"sub":`+r.ClaimJSON+`}`, 8)
	if err != nil {
		return "", "not_unicode"
	}
	v, _ := o.Get("sub")
	subject, ok := v.Str()
	if !ok {
		return "", "not_a_string"
	}
	return subject, ""
}

func TestUserIDVectors(t *testing.T) {
	v := readUserIDs(t)
	if v.MaxLength != authhandlers.MaxUserIDBytes || v.MaxClaimBytes != authhandlers.MaxSubjectBytes {
		t.Errorf("bounds %d and %d, the vectors have %d and %d",
			authhandlers.MaxUserIDBytes, authhandlers.MaxSubjectBytes, v.MaxLength, v.MaxClaimBytes)
	}
	seen := map[string]string{}
	for _, r := range v.Rows {
		t.Run(r.Name+" "+r.Alias, func(t *testing.T) {
			subject, reason := subjectOf(r)
			var id string
			if reason == "" {
				var err error
				id, err = authhandlers.UserID(r.Alias, subject)
				if refused, ok := errors.AsType[*authhandlers.UserIDError](err); ok {
					reason = refused.Reason
				} else if err != nil {
					t.Fatal(err)
				}
			}
			switch r.Expect {
			case "accept":
				if id != r.UserID || "/ws/"+id != r.WSPath {
					t.Errorf("%q (%s), want %q", id, reason, r.UserID)
				}
				if other, ok := seen[id]; ok && other != r.Alias+"\x00"+subject {
					t.Errorf("%q is the id of two people", id)
				}
				seen[id] = r.Alias + "\x00" + subject
			case "reject":
				if reason != r.Reason {
					t.Errorf("%q (%s), want a refusal: %s", id, reason, r.Reason)
				}
			default:
				t.Errorf("unknown expectation %q", r.Expect)
			}
		})
	}
}

func TestAliases(t *testing.T) {
	v := readUserIDs(t)
	for _, a := range v.BadAliases {
		if authhandlers.ValidAlias(a) == nil {
			t.Errorf("%q is taken for an alias", a)
		}
		if _, err := authhandlers.UserID(a, "alice"); err == nil {
			t.Errorf("an id under the alias %q", a)
		}
	}
	for _, a := range append(v.GoodAliases, "") {
		if err := authhandlers.ValidAlias(a); err != nil {
			t.Error(err)
		}
	}
}

// decode undoes the scheme, for ids that are not hashed.
func decode(t testing.TB, id string) (alias, subject string) {
	t.Helper()
	if i := strings.IndexByte(id, ':'); i >= 0 {
		alias, id = id[:i], id[i+1:]
	}
	var b strings.Builder
	for i := 0; i < len(id); i++ {
		if id[i] != '~' {
			b.WriteByte(id[i])
			continue
		}
		raw, err := hex.DecodeString(id[i+1 : i+3])
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		b.Write(raw)
		i += 2
	}
	return alias, b.String()
}

var safeID = regexp.MustCompile(`\A([a-z0-9][a-z0-9-]{0,30}:)?[A-Za-z0-9@._~-]+\z`)

// checkID holds what every id must be: S-046 of one line each.
func checkID(t testing.TB, alias, subject, id string) {
	t.Helper()
	if !safeID.MatchString(id) {
		t.Fatalf("%q: unsafe characters", id)
	}
	if len(id) > authhandlers.MaxUserIDBytes {
		t.Fatalf("%q: %d bytes", id, len(id))
	}
	if id[0] == '.' || id[0] == '-' && alias == "" {
		t.Fatalf("%q: hidden, or an option", id)
	}
	if slices.Contains([]string{"user", "admin", "system", "anonymous", "root", "default", "none", "null", "undefined"}, strings.ToLower(id)) {
		t.Fatalf("%q is reserved", id)
	}
	if again, err := authhandlers.UserID(alias, subject); err != nil || again != id {
		t.Fatalf("%q, and then %q %v", id, again, err)
	}
	if _, after, ok := strings.Cut(id, "~~"); ok {
		sum := sha256.Sum256([]byte(subject))
		if after != hex.EncodeToString(sum[:]) {
			t.Fatalf("%q is not the hash of its subject", id)
		}
		return
	}
	if a, s := decode(t, id); a != alias || s != subject {
		t.Fatalf("%q decodes to %q %q, not to %q %q", id, a, s, alias, subject)
	}
}

// TestUserIDProperties draws subjects of the kind that break such schemes.
func TestUserIDProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{
		"a", "Z", "0", "@", ".", "_", "-", "~", "~7", "~7e", "~~", ":", "/", "\\", "%", "%2f", "?", "#", "..", "é", "ſ", "K", "🐱", " ", "'", "\"", ",", ";",
		"user", "admin", "USER", "kc:", "<", "\u202e", "\u0301",
	}
	aliases := []string{"", "kc", "a", "kc-a", "0"}
	seen := map[string][2]string{}
	for range 50_000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		if r.IntN(20) == 0 {
			b.WriteString(strings.Repeat(pieces[r.IntN(len(pieces))], r.IntN(120)))
		}
		alias, subject := aliases[r.IntN(len(aliases))], b.String()
		id, err := authhandlers.UserID(alias, subject)
		if err != nil {
			t.Fatalf("%q: %v", subject, err)
		}
		checkID(t, alias, subject, id)
		if who, ok := seen[id]; ok && who != [2]string{alias, subject} {
			t.Fatalf("%q is the id of %q and of %q", id, who, []string{alias, subject})
		}
		seen[id] = [2]string{alias, subject}
	}
}

// FuzzUserID holds that each subject has a safe id of its own, or a stated reason.
func FuzzUserID(f *testing.F) {
	for _, r := range readUserIDs(f).Rows {
		if r.Claim != nil {
			f.Add(r.Alias, *r.Claim, "alice")
		}
	}
	f.Fuzz(func(t *testing.T, alias, one, two string) {
		if authhandlers.ValidAlias(alias) != nil {
			alias = "kc"
		}
		ids := [2]string{}
		for i, subject := range []string{one, two} {
			id, err := authhandlers.UserID(alias, subject)
			if err != nil {
				var refused *authhandlers.UserIDError
				if !errors.As(err, &refused) || refused.Reason == "" {
					t.Fatalf("%q: %v", subject, err)
				}
				return
			}
			if !utf8.ValidString(subject) {
				t.Fatalf("%q is no UTF-8 and has the id %q", subject, id)
			}
			checkID(t, alias, subject, id)
			ids[i] = id
		}
		if (ids[0] == ids[1]) != (one == two) {
			t.Fatalf("%q and %q are %q and %q", one, two, ids[0], ids[1])
		}
		bare, err := authhandlers.UserID("", one)
		if err != nil || alias != "" && bare == ids[0] {
			t.Fatalf("%q is %q with and without the alias %s", one, bare, alias)
		}
	})
}

// accountHolder lets in the one that a test names, as the Cat's own user.
type accountHolder struct{ subject string }

func (h accountHolder) Authenticate(context.Context, *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return &authhandlers.AuthUserInfo{Issuer: "the Cat", Subject: h.subject}, nil
}

func (h accountHolder) CatAccount(*authhandlers.AuthUserInfo) string { return h.subject }

// TestTheCatsOwnUsersKeepTheirNames: what names one of the Cat's own users goes on to do
// so, but for the id of those who are nobody; and no two of them get one id.
func TestTheCatsOwnUsersKeepTheirNames(t *testing.T) {
	ids := map[string]string{}
	for subject, want := range map[string]string{
		"admin": "admin", "user": "user", "Admin": "Admin", "alice": "alice", "anonymous": "~61nonymous", "Anonymous": "~41nonymous",
		".hidden": "~2ehidden", "-rf": "~2drf", "staff:alice": "staff~3aalice", "~61dmin": "~7e61dmin", "~61nonymous": "~7e61nonymous", "a b": "a~20b",
	} {
		c, err := authhandlers.NewChain(time.Now, authhandlers.Link{Name: "cat", Handler: accountHolder{subject}})
		if err != nil {
			t.Fatal(err)
		}
		u, err := c.Authenticate(t.Context(), &authhandlers.Request{})
		if err != nil || u.ID != want {
			t.Errorf("%q is %+v, %v; want %q", subject, u, err, want)
			continue
		}
		if other, taken := ids[u.ID]; taken {
			t.Errorf("%q and %q are one", subject, other)
		}
		ids[u.ID] = subject
	}
}
