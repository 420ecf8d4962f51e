package anonymous

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
)

// Config is a handler for guests. It stands last, and needs a public_url of https, or
// of http on this machine. Without permissions of its own guests have base; more than
// base they can't have.
type Config struct {
	// How many guests there may be at the same time, in each Catflap: up to 10000. The
	// Cat keeps the conversations of about 100 people, guests included, and forgets the
	// oldest when another comes.
	Guests int `yaml:"guests" default:"50"`
	// How many of them may come from one address (IPv4), or from one network of 64 bits
	// (IPv6).
	PerAddress int `yaml:"per_address" default:"10"`
	// How many new guests one such address may make in an hour.
	NewPerAddress int `yaml:"new_per_address" default:"10"`
	// How many new guests there may be in an hour, from all addresses together.
	NewPerHour int `yaml:"new_per_hour" default:"100"`
	// How long a guest who asks for nothing keeps the place, if others wait for one:
	// from 1m. Open sockets are closed when the place is given up.
	Idle value.Duration `yaml:"idle" default:"1h"`
	// How long a guest's cookie holds: from 5m. It is renewed when half of that has
	// passed.
	Lifetime value.Duration `yaml:"lifetime" default:"24h"`
	// How long a guest lives at most, however often the cookie is renewed: up to 2160h
	// (90 days), and not less than lifetime.
	MaxLifetime value.Duration `yaml:"max_lifetime" default:"168h"`
	// The conversation at a sign-in, which ends with it in either case. never: it
	// is gone. ask: the pages where a guest can sign in offer it as a file. The Cat can't
	// take it over.
	KeepConversation string `yaml:"keep_conversation" default:"never" enum:"never,ask"`
}

// NewConfig returns a configuration with all defaults, which are the same that an
// absent field of the file has.
func NewConfig() *Config {
	return &Config{
		Guests: 50, PerAddress: 10, NewPerAddress: 10, NewPerHour: 100, KeepConversation: "never",
		Idle: value.Duration(time.Hour), Lifetime: value.Duration(24 * time.Hour), MaxLifetime: value.Duration(168 * time.Hour),
	}
}

// The bounds of the settings.
const (
	mostGuests    = 10000
	leastIdle     = time.Minute
	leastLifetime = 5 * time.Minute
	mostLifetime  = 90 * 24 * time.Hour
	catKeeps      = 100 // people whose conversations the Cat 1 keeps, about
)

// Validate implements authhandlers.Config.
func (c *Config) Validate() error {
	var p authhandlers.FieldErrors
	for _, n := range []struct {
		field       string
		value, most int
	}{
		{"guests", c.Guests, mostGuests}, {"per_address", c.PerAddress, mostGuests},
		{"new_per_address", c.NewPerAddress, mostGuests}, {"new_per_hour", c.NewPerHour, mostGuests},
	} {
		if n.value < 1 || n.value > n.most {
			p.Add(n.field, fmt.Sprintf("%d is not from 1 to %d", n.value, n.most), fmt.Sprintf("write a number from 1 to %d", n.most))
		}
	}
	if d := c.Lifetime.Std(); d < leastLifetime || d > mostLifetime {
		p.Add("lifetime", fmt.Sprintf("%v is not from 5m to 2160h", c.Lifetime), "write how long a guest's cookie holds, such as 24h")
	} else if m := c.MaxLifetime.Std(); m < d || m > mostLifetime {
		p.Add("max_lifetime", fmt.Sprintf("%v is not from lifetime, %v, to 2160h", c.MaxLifetime, c.Lifetime), "write 168h, or a shorter lifetime")
	}
	if d := c.Idle.Std(); d < leastIdle || d > mostLifetime {
		p.Add("idle", fmt.Sprintf("%v is not from 1m to 2160h", c.Idle), "write how long a guest's place is kept, such as 1h")
	}
	if c.KeepConversation != "never" && c.KeepConversation != "ask" {
		p.Add("keep_conversation", fmt.Sprintf("%q is neither never nor ask", c.KeepConversation), "write never or ask")
	}
	return p.Err()
}

// Doubts implements authhandlers.Doubter.
func (c *Config) Doubts() error {
	var p authhandlers.FieldErrors
	if c.Guests > catKeeps*4/5 {
		p.Add("guests", fmt.Sprintf("the Cat keeps the conversations of about %d people, so that %d guests leave little room for those who have signed in", catKeeps, c.Guests), "write a smaller number")
	}
	if c.PerAddress > c.Guests/2 && c.Guests > 1 {
		p.Add("per_address", "one address alone can take most of the places", "write less than half of guests")
	}
	return p.Err()
}

// TakesGuests says to the configuration that the handler has to stand last, and that
// its people have base or less.
func (c *Config) TakesGuests() bool { return true }

// YieldsGroups implements authhandlers.Grouper: guests have none.
func (c *Config) YieldsGroups() bool { return false }

// TakesBearers implements authhandlers.BearerTaker: who sends a token is no guest.
func (c *Config) TakesBearers() bool { return false }

// TakesAllBearers implements authhandlers.BearerTaker.
func (c *Config) TakesAllBearers() bool { return false }

// LongestLife implements authhandlers.Lifetimer.
func (c *Config) LongestLife() time.Duration { return c.MaxLifetime.Std() }

// Open implements authhandlers.Config.
func (c *Config) Open(_ context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if env.Cookie == "" {
		return nil, errors.New("guests need a public_url of https, or of http on this machine: a cookie names them")
	}
	h := &handler{c: *c, name: env.Cookie, now: env.Now, observe: env.Observe, ring: newRing(env.Keys)}
	if h.observe == nil {
		h.observe = func(string) {}
	}
	h.book, _ = kept(env, func() any { return newBook(env.Now) }).(*book)
	if h.book == nil {
		return nil, errors.New("what was kept before the reload is of another kind")
	}
	h.book.pace.Set(hourly(c.NewPerAddress), hourly(c.NewPerHour))
	return h, nil
}

func kept(env authhandlers.Env, make func() any) any {
	if env.Kept == nil {
		return make()
	}
	return env.Kept(make)
}

// The names of the events that a handler of this type counts.
const (
	eventMade       = "guest_made"
	eventTooMany    = "guest_refused_new"  // too many new ones in a short time
	eventFull       = "guest_refused_full" // each place is taken
	eventGivenUp    = "guest_place_given_up"
	eventSeenOff    = "guest_signed_in"
	eventBadCookie  = "guest_cookie_bad"
	eventTwoCookies = "guest_cookie_twice"
)

// Events are the names of the events that a handler of this type counts.
func (c *Config) Events() []string {
	return []string{eventMade, eventTooMany, eventFull, eventGivenUp, eventSeenOff, eventBadCookie, eventTwoCookies}
}

var (
	_ authhandlers.Config    = (*Config)(nil)
	_ authhandlers.Grouper   = (*Config)(nil)
	_ authhandlers.Lifetimer = (*Config)(nil)
	_ authhandlers.Doubter   = (*Config)(nil)
)
