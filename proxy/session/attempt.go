package session

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// Errors of Open; each wraps ErrAttempt.
var (
	ErrAttempt        = errors.New("session: not an attempt to sign in that goes on here")
	ErrAttemptExpired = fmt.Errorf("%w: it was begun too long ago", ErrAttempt)
	ErrAttemptForeign = fmt.Errorf("%w: another browser has begun it, or this one keeps no cookies", ErrAttempt)
	ErrAttemptBad     = fmt.Errorf("%w: it is none of ours", ErrAttempt)
)

const (
	attemptLife  = 10 * time.Minute
	attemptSkew  = time.Minute // between the clocks of two Catflaps
	maxState     = 2 << 10
	loopTime     = time.Minute
	loopAttempts = 5
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
// within ten minutes. With ErrAttemptExpired it returns what says where the browser
// wanted to go, without the secrets.
func (m *Manager) Open(r *http.Request, state string) (*Attempt, error) {
	a, err := m.unsealed(state)
	if err != nil {
		return nil, err
	}
	browser, ok := m.KnownBrowser(r)
	if !ok || subtle.ConstantTimeCompare([]byte(browser), []byte(a.Browser)) != 1 {
		return nil, ErrAttemptForeign
	}
	if age := m.now().Sub(a.Made); age >= attemptLife || age < -attemptSkew {
		a.Login = authhandlers.LoginAttempt{}
		return a, ErrAttemptExpired
	}
	return a, nil
}

func (m *Manager) unsealed(state string) (*Attempt, error) {
	if len(state) > maxState {
		return nil, ErrAttemptBad
	}
	sealed, err := untext(state)
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

// recent are the last automatic attempts of a browser.
type recent struct{ times []time.Time }

// Loops notes that the browser was sent to sign in without being asked, and reports
// true when that was more than five times within a minute: then nobody is helped by
// another time. It knows of this process alone.
func (m *Manager) Loops(browser string) bool {
	m.looping.Lock()
	defer m.looping.Unlock()
	b, ok := m.attempts.Get(browser)
	if !ok {
		b = &recent{}
		m.attempts.Add(browser, b)
	}
	now := m.now()
	kept := b.times[:0]
	for _, at := range b.times {
		if now.Sub(at) < loopTime {
			kept = append(kept, at)
		}
	}
	if len(kept) > loopAttempts {
		kept = kept[1:]
	}
	b.times = append(kept, now)
	return len(b.times) > loopAttempts
}
