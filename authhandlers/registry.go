package authhandlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Registry is the map of the handler types that a configuration may name. It is a
// plain value: a build with handlers of its own adds a key to the built-in map.
type Registry map[string]func() Config

// Config is the typed configuration of one handler. Its exported fields with a
// yaml tag are what may stand in the file beside name, alias, type and
// permissions; types of config/value are understood.
type Config interface {
	// Validate reports everything that is wrong, each as a *FieldError, joined by
	// errors.Join. It is pure: it reads no file, no variable and no network.
	Validate() error
	// Open makes the handler. It may read files and start background work, which
	// ends when ctx does; an identity provider that does not answer is no error
	// here, but an unready handler (Prober).
	Open(ctx context.Context, env Env) (AuthHandler, error)
}

// Identifier is an optional ability of a Config: it says whose user ids the
// handler yields. Handlers may share an alias only when their sources are equal
// and not empty; the text is the issuer and the claim that names the person.
type Identifier interface{ IdentitySource() string }

// Borrower is an optional ability of a Config: it names the issuer whose people the
// handler's are, if that is another than the one which makes the credentials; "" says
// that there is none. `catflap check` holds that a handler of that issuer is there, with
// an equal IdentitySource and alias.
type Borrower interface{ PeopleOf() (issuer string) }

// Grouper is an optional ability of a Config: it says whether the handler yields
// groups. Where more than one does, a grant by groups must name its handlers. A Config
// without it counts as one that may; with it, `catflap check` warns of a grant by
// groups that nobody can meet.
type Grouper interface{ YieldsGroups() bool }

// SignIn is an optional ability of a Config: it says whether people sign in
// through the handler in a browser, which needs an origin of our own to return to,
// and what they read where they choose; an empty title stands for the handler's name.
type SignIn interface {
	SignsIn() bool
	SignInTitle() string
}

// Lifetimer is an optional ability of a Config: it says how long a credential of the
// handler may live. For so long a logout is remembered.
type Lifetimer interface{ LongestLife() time.Duration }

// Inspector is an optional ability of a Config: it verifies that the files and
// variables which the configuration names exist and can be used, without opening
// the handler or asking the network. `catflap check` calls it.
type Inspector interface{ Inspect() error }

// BearerTaker is an optional ability of a Config: it says whether the handler takes
// bearer tokens, all of those that reach it or only those that it knows by their form.
// A handler that takes bearer tokens may not stand behind one that leaves none. A Config
// without it takes none.
type BearerTaker interface {
	TakesBearers() bool
	TakesAllBearers() bool
}

// Doubter is an optional ability of a Config: it says what is allowed and perhaps not
// meant, each as a *FieldError, joined by errors.Join. It is as pure as Validate.
// `catflap check` shows it as warnings.
type Doubter interface{ Doubts() error }

// InspectDoubter is an optional ability of a Config: it looks at the files which the
// configuration names, and says what can be used and is perhaps not meant, each as a
// *FieldError, joined by errors.Join. `catflap check` shows it as warnings.
type InspectDoubter interface{ InspectDoubts() error }

// KeyLister is an optional ability of a Config: it tells of each API key of its file what
// concerns other parts of the configuration: the alias of the people that it acts for,
// or nothing, and what it may do.
type KeyLister interface {
	ListKeys(each func(id, alias string, permissions []string)) error
}

// Ticketer is an optional ability of a Config: it says whether its people need tickets
// for WebSockets though nobody signs in in a browser.
type Ticketer interface{ NeedsTickets() bool }

// Env is what a handler gets from the house.
type Env struct {
	// Name is the handler's name in the configuration.
	Name string
	// Log is for events of the handler, not for single requests.
	Log *slog.Logger
	// HTTP is the client for requests of the handler's own. It has time-outs.
	HTTP *http.Client
	// Now is the clock. Handlers use no other.
	Now func() time.Time
	// Gate bounds the expensive verifications of all handlers together.
	Gate *Gate
	// Claims are the paths of the claims whose values the handler should put into
	// AuthUserInfo.Claims.
	Claims []string
	// Certificates judges the certificates of clients; nil where the listener asks for
	// none.
	Certificates Certificates
	// CachedTokens bounds how many verified credentials the handler remembers.
	CachedTokens int
	// CatUsers are the Cat's own users; nil where nobody can ask for them.
	CatUsers CatUsers
	// Cookie is the name of the one cookie that the handler may have set
	// ([Request.SetCookie]), and reads from Request.HTTP. It is empty where cookies
	// would not be safe: without a public URL, and over plain HTTP.
	Cookie string
	// Keys are the handler's own keys, 32 bytes each, to sign or seal what it gives out:
	// the first makes, all verify. They are derived from sessions.keys, so that all
	// Catflaps with the same have the same; without those they are made at the start.
	Keys [][]byte
	// Kept, if not nil, returns what a handler of this name and type has made before a
	// reload, and what make returns the first time.
	Kept func(make func() any) any
	// Observe, if not nil, counts an event of the handler ("keys_fetched",
	// "cache_hit", ...). The name is one of a small fixed set, never a value.
	Observe func(event string)
}

// missing names what a handler may rely on and is not there. This package imports no other
// of the module, so that it is written out here.
func (e *Env) missing() (l []string) {
	for name, there := range map[string]bool{"Name": e.Name != "", "Log": e.Log != nil, "HTTP": e.HTTP != nil, "Now": e.Now != nil, "Gate": e.Gate != nil} {
		if !there {
			l = append(l, name)
		}
	}
	slices.Sort(l)
	return l
}

// Open validates c and opens it, and checks that env holds what a handler may rely on.
func Open(ctx context.Context, c Config, env Env) (AuthHandler, error) {
	if missing := env.missing(); len(missing) > 0 {
		return nil, errors.New("authhandlers.Env has no " + strings.Join(missing, ", "))
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("handler %s: %w", env.Name, err)
	}
	h, err := c.Open(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("handler %s: %w", env.Name, err)
	}
	return h, nil
}
