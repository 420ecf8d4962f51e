package app

import (
	"errors"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/chat"
)

// keysWatched is how often it is looked whether keys have changed.
const keysWatched = time.Second

// rejudge asks for everybody who is connected whether they would be let in by the
// configuration and the keys in force.
func (a *app) rejudge(g *generation) {
	g.judged = g.handler.Generation() // before, so that a change in between is seen
	a.hub.Rejudge(func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *chat.Closing) {
		again, err := g.handler.Judge(u)
		if _, refused := errors.AsType[*authhandlers.Rejection](err); refused {
			return nil, &chat.Closing{Code: chat.CodeSignedOut, Reason: "the credential is no longer accepted"}
		}
		if errors.Is(err, authhandlers.ErrLapsed) {
			return nil, &chat.Closing{Code: chat.CodeTryAgain, Reason: "it can't be found out whether you may still chat"}
		}
		if err != nil {
			return nil, &chat.Closing{Code: chat.CodeForbidden, Reason: "you may no longer chat"}
		}
		return again, nil
	})
	a.passages.Rejudge(g.handler)
}

// watchKeys does that again when keys have changed: one was withdrawn, or those that
// were waited for have come.
func (a *app) watchKeys() {
	if g := a.current.Load(); g.handler.Generation() != g.judged {
		a.rejudge(g)
	}
}

// revoke ends an access wherever it is in use.
func (a *app) revoke(r authhandlers.Revocation) {
	a.hub.Revoke(r)
	a.passages.Revoke(r)
}

// resync looks up everybody who is connected: word of what has ended may be lost. Those
// who came by a token are judged in the loop, where no reload is under way.
func (a *app) resync() {
	a.hub.Resync()
	select {
	case a.missed <- struct{}{}:
	default: // it is asked for already
	}
}
