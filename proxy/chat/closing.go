package chat

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
)

// Closing is why a socket is ended from here.
type Closing = wsconn.Closing

// The other ends of a connection, as reasons name them.
const (
	theClient = "the client"
	theCat    = "the Cat"
)

// The close codes of our own (4000 to 4999 are for applications).
const (
	CodeSignedOut = 4401 // the credential has ended
	CodeForbidden = 4403 // the person may no longer chat
	// CodeTryAgain ends a socket for a while.
	CodeTryAgain = websocket.CloseTryAgainLater
)

var (
	closeExpired     = Closing{Code: CodeSignedOut, Reason: "token expired"}
	closeSignedOut   = Closing{Code: CodeSignedOut, Reason: "signed out"}
	closeSessionOver = Closing{Code: CodeSignedOut, Reason: "the session has ended"}
	closeRefused     = Closing{Code: CodeSignedOut, Reason: "the new token was refused"}
	closeOther       = Closing{Code: CodeSignedOut, Reason: "the new token is another person's"}
	closeBadToken    = Closing{Code: websocket.ClosePolicyViolation, Reason: "the token frame can't be read"}
	closeTooFast     = Closing{Code: websocket.ClosePolicyViolation, Reason: "too many messages"}
	closeStopping    = Closing{Code: websocket.CloseGoingAway, Reason: "the server is stopping"}
	closeChanged     = Closing{Code: websocket.CloseServiceRestart, Reason: "the server's settings have changed"}
	closeSlow        = Closing{Code: websocket.CloseTryAgainLater, Reason: "too slow: messages wait for you"}
	closeFull        = Closing{Code: websocket.CloseTryAgainLater, Reason: "the server holds too many messages"}
	closeOwnFull     = Closing{Code: websocket.CloseTryAgainLater, Reason: "too much of yours is held here"}
	closeCatGone     = Closing{Code: websocket.CloseTryAgainLater, Reason: "the Cat can't be reached"}
	closeStale       = Closing{Code: websocket.CloseServiceRestart, Reason: "the Cat speaks to this socket no more: connect again"}
	closeFresh       = Closing{Code: websocket.CloseNormalClosure, Reason: "another socket is opened in place of this one"}
	closeForgotten   = Closing{Code: websocket.CloseTryAgainLater, Reason: "too much has changed in the meantime; try again"}
	closeUnused      = Closing{Code: websocket.CloseNormalClosure, Reason: "nobody is left"}
)

// Errors of Join. Nothing has been upgraded when it returns one.
var (
	// ErrTooManySockets means that a bound on sockets is reached.
	ErrTooManySockets = errors.New("too many sockets are open")
	// ErrStopping means that the hub no longer takes sockets.
	ErrStopping = errors.New("no more sockets are taken: stopping")
)

// EndedError means that the person's access ended while the socket was opening.
type EndedError struct{ Closing Closing }

func (e *EndedError) Error() string {
	return "access ended while the socket was opening: " + e.Closing.Reason
}

// Refused implements wsconn.Refusal.
func (e *EndedError) Refused() Closing { return e.Closing }

// DialError means that the Cat did not open a socket.
type DialError struct{ Err error }

func (e *DialError) Error() string { return "the Cat did not open a socket: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// ClaimError means that nobody can tell which of several processes has the person's
// socket at the Cat, so that none may open one.
type ClaimError struct{ Err error }

func (e *ClaimError) Error() string {
	return "nobody can tell which Catflap has the person's socket: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ClaimError) Unwrap() error { return e.Err }

// UpgradeError means that the client's handshake could not be finished.
type UpgradeError struct{ Err error }

func (e *UpgradeError) Error() string { return "the handshake could not be finished: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UpgradeError) Unwrap() error { return e.Err }

const (
	// catSettleDelay is how long the Cat is given after a socket's close is complete before
	// the same person's next one opens: reopened at once, up to a quarter stay silent
	// forever; none did from 20 ms on at a Cat with nothing else to do, one in
	// twenty did after 25 ms at a busy one.
	catSettleDelay = 100 * time.Millisecond
	// expiryTick is how often expiry is compared with the clock.
	expiryTick = 200 * time.Millisecond
	// abortWait is how long sockets that were cut may take to be told of.
	abortWait = time.Second
)

// joinError makes the error of a join that is ended before it has opened anything.
func joinError(c Closing) error {
	if c == closeStopping {
		return ErrStopping
	}
	return &EndedError{c}
}
