package session

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/base64url"
)

// Errors of Open; each wraps ErrAttempt.
var (
	ErrAttempt        = errors.New("session: not an attempt to sign in that goes on here")
	ErrAttemptExpired = fmt.Errorf("%w: it was begun too long ago", ErrAttempt)
	ErrAttemptForeign = fmt.Errorf("%w: another browser has begun it, or this one keeps no cookies", ErrAttempt)
	ErrAttemptBad     = fmt.Errorf("%w: it is none of ours", ErrAttempt)
)

const (
	attemptLife = 10 * time.Minute
	attemptSkew = time.Minute // between the clocks of two Catflaps
	maxState    = 2 << 10
	loopTime    = time.Minute
	loopRounds  = 5
)

// Attempt is one way to the provider and back. It travels sealed as the state, so
// that nothing is kept for a stranger who merely opens the login page, and any number
// of tabs may be under way.
type Attempt struct {
	Handler  string // its name
	ReturnTo string // where the browser goes afterwards; checked by the proxy
	Browser  string // who has begun it, as Manager.Browser says
	Login    authhandlers.LoginAttempt
	Made     time.Time // set by Seal, in our time
	Again    bool      // whether this follows an attempt that did not help
	Chosen   bool      // whether somebody has chosen the provider, and was not merely sent
}

// Seal begins an attempt: it makes nonce and verifier, and returns them with the state
// that holds all of it. A ReturnTo that would make the state longer than 2 KiB becomes "/".
func (m *Manager) Seal(a Attempt) (authhandlers.LoginAttempt, error) {
	if a.Browser == "" {
		return authhandlers.LoginAttempt{}, errors.New("session: an attempt of no browser")
	}
	a.Made = m.now()
	a.Login.State, a.Login.Nonce, a.Login.Verifier = "", newSecret(), newSecret()
	state, err := m.state(&a)
	if err == nil && len(state) > maxState {
		a.ReturnTo = "/"
		state, err = m.state(&a)
	}
	if err != nil {
		return authhandlers.LoginAttempt{}, err
	}
	if len(state) > maxState {
		return authhandlers.LoginAttempt{}, fmt.Errorf("%w: a state of %d bytes", ErrTooLarge, len(state))
	}
	a.Login.State = state
	return a.Login, nil
}

func (m *Manager) state(a *Attempt) (string, error) {
	plain, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return text(m.keys.seal(sealAttempt, "", plain)), nil
}

// Open returns the attempt of a state that came back to the browser that began it,
// within ten minutes. With ErrAttemptExpired and ErrAttemptForeign it returns what says
// where the browser wanted to go, without the secrets.
func (m *Manager) Open(r *http.Request, state string) (*Attempt, error) {
	a, err := m.unsealed(state)
	if err != nil {
		return nil, err
	}
	if !m.began(r, a) {
		err = ErrAttemptForeign
	} else if age := m.now().Sub(a.Made); age >= attemptLife || age < -attemptSkew {
		err = ErrAttemptExpired
	}
	if err != nil {
		a.Login = authhandlers.LoginAttempt{}
	}
	return a, err
}

func (m *Manager) began(r *http.Request, a *Attempt) bool {
	found := 0
	for _, name := range m.KnownBrowser(r) {
		found |= subtle.ConstantTimeCompare([]byte(name), []byte(a.Browser))
	}
	return found == 1
}

func (m *Manager) unsealed(state string) (*Attempt, error) {
	if len(state) > maxState {
		return nil, ErrAttemptBad
	}
	sealed, err := base64url.Decode(state)
	if err != nil {
		return nil, ErrAttemptBad
	}
	plain, err := m.keys.open(sealAttempt, "", sealed)
	var a Attempt
	if err != nil || json.Unmarshal(plain, &a) != nil {
		return nil, ErrAttemptBad
	}
	a.Login.State = state
	return &a, nil
}

// Spend reports true for the first use of a state and false for any other, at every
// Catflap. A state that is none of ours is ErrAttemptBad, and costs the store nothing.
func (m *Manager) Spend(ctx context.Context, state string) (bool, error) {
	if _, err := m.unsealed(state); err != nil {
		return false, err
	}
	return m.store.Once(ctx, "attempt:"+hash(state), attemptLife+2*attemptSkew)
}

// rounds are those of a browser that was sent to sign in without being asked, came
// back signed in, and was sent again.
type rounds struct {
	ended []time.Time // within the last minute
}

// Completed notes that an attempt has led to a session. It is another round only if it
// was begun after the last one had ended: any number of tabs may sign in at once.
func (m *Manager) Completed(browser string, a *Attempt) {
	if a.Chosen {
		return
	}
	m.looping.Lock()
	defer m.looping.Unlock()
	b, ok := m.rounds.Get(browser)
	if !ok {
		b = &rounds{}
		m.rounds.Add(browser, b)
	}
	now := m.now()
	if n := len(b.ended); n > 0 && !a.Made.After(b.ended[n-1]) {
		return
	}
	b.ended = append(b.since(now), now)
}

// Loops reports that the browser has signed in five times within a minute, one time
// after another and without being asked: then nobody is helped by another time. It
// knows of this process alone.
func (m *Manager) Loops(browser string) bool {
	m.looping.Lock()
	defer m.looping.Unlock()
	b, ok := m.rounds.Get(browser)
	return ok && len(b.since(m.now())) >= loopRounds
}

// since leaves out what was more than a minute before.
func (b *rounds) since(now time.Time) []time.Time {
	b.ended = slices.DeleteFunc(b.ended, func(at time.Time) bool { return now.Sub(at) >= loopTime })
	return b.ended
}
