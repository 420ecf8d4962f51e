package session

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// The ways in which a callback's state can be wrong.
var (
	ErrAttemptBad     = errors.New("the state is of no sign-in that was begun here")
	ErrAttemptExpired = errors.New("the sign-in took too long")
	ErrAttemptForeign = errors.New("the sign-in was begun in another browser")
)

const (
	// attemptLife is how long a sign-in may take.
	attemptLife = 10 * time.Minute
	// maxState bounds a state, which travels in addresses.
	maxState = 3 << 10
)

// Attempt is a sign-in under way. It travels sealed, as the state of RFC 6749 §4.1:
// nothing is kept here for a stranger who merely opens the login page, and any
// number of tabs may be on their way at once.
type Attempt struct {
	Handler, ReturnTo, Browser string
	Login                      authhandlers.LoginAttempt
	Made                       time.Time
	Again                      bool
}

// sealedAttempt is an Attempt as it travels; nonce and verifier are made of its seed.
type sealedAttempt struct {
	Handler  string `json:"h"`
	ReturnTo string `json:"r,omitempty"`
	Browser  string `json:"b"`
	Redirect string `json:"u"`
	Seed     []byte `json:"s"`
	Made     int64  `json:"t"`
	Again    bool   `json:"a,omitempty"`
}

// Seal makes the secrets of an attempt. Of a.Login it takes RedirectURI and Again.
func (m *Manager) Seal(a Attempt) (authhandlers.LoginAttempt, error) {
	s := sealedAttempt{
		Handler: a.Handler, ReturnTo: a.ReturnTo, Browser: a.Browser, Redirect: a.Login.RedirectURI, Seed: secret(), Made: a.Made.Unix(), Again: a.Again,
	}
	text, err := json.Marshal(s)
	if err != nil {
		return authhandlers.LoginAttempt{}, err
	}
	state := encode(m.keys.seal(forAttempt, "", text))
	if len(state) > maxState {
		s.ReturnTo = ""
		if text, err = json.Marshal(s); err != nil {
			return authhandlers.LoginAttempt{}, err
		}
		state = encode(m.keys.seal(forAttempt, "", text))
	}
	return s.secrets(state), nil
}

// secrets makes nonce and verifier of the seed: 256 bits each that say nothing
// about the other.
func (s *sealedAttempt) secrets(state string) authhandlers.LoginAttempt {
	derive := func(what string) string {
		sum := sha256.Sum256(append([]byte("catflap "+what+" "), s.Seed...))
		return encode(sum[:])
	}
	return authhandlers.LoginAttempt{State: state, Nonce: derive("nonce"), Verifier: derive("verifier"), RedirectURI: s.Redirect, Again: s.Again}
}

// Open returns the attempt of a callback's state, if this browser began it. With
// ErrAttemptExpired and ErrAttemptForeign the attempt is authentic, and returned.
func (m *Manager) Open(r *http.Request, state string) (*Attempt, error) {
	if len(state) > maxState {
		return nil, ErrAttemptBad
	}
	sealed, err := decode(state)
	if err != nil {
		return nil, ErrAttemptBad
	}
	text, err := m.keys.open(forAttempt, "", sealed)
	if err != nil {
		return nil, ErrAttemptBad
	}
	var s sealedAttempt
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, ErrAttemptBad
	}
	a := &Attempt{
		Handler: s.Handler, ReturnTo: s.ReturnTo, Browser: s.Browser, Login: s.secrets(state), Made: time.Unix(s.Made, 0), Again: s.Again,
	}
	browser, ok := m.KnownBrowser(r)
	if !ok || subtle.ConstantTimeCompare([]byte(browser), []byte(a.Browser)) != 1 {
		return a, ErrAttemptForeign
	}
	if age := m.o.Now().Sub(a.Made); age >= attemptLife || age < -attemptLife {
		return a, ErrAttemptExpired
	}
	return a, nil
}

// Spend uses an attempt up. False means that it was used before.
func (m *Manager) Spend(ctx context.Context, state string) (bool, error) {
	sum := sha256.Sum256([]byte(state))
	return m.o.Store.Once(ctx, "state:"+encode(sum[:]), 2*attemptLife)
}
