package chat

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/attributes"
)

// Closing is why a socket is ended from here: a close code (RFC 6455 §7.4) and a
// reason of at most 123 bytes for the person at the other end.
type Closing struct {
	Code   int
	Reason string
}

// The close codes of our own (4000 to 4999 are for applications).
const (
	CodeSignedOut = 4401 // the credential has ended
	CodeForbidden = 4403 // the person may no longer chat
	// CodeTryAgain ends a socket for a while.
	CodeTryAgain = websocket.CloseTryAgainLater
)

var (
	closeExpired     = Closing{CodeSignedOut, "token expired"}
	closeSignedOut   = Closing{CodeSignedOut, "signed out"}
	closeSessionOver = Closing{CodeSignedOut, "the session has ended"}
	closeRefused     = Closing{CodeSignedOut, "the new token was refused"}
	closeOther       = Closing{CodeSignedOut, "the new token is another person's"}
	closeBadToken    = Closing{websocket.ClosePolicyViolation, "the token frame can't be read"}
	closeTooFast     = Closing{websocket.ClosePolicyViolation, "too many messages"}
	closeStopping    = Closing{websocket.CloseGoingAway, "the server is stopping"}
	closeChanged     = Closing{websocket.CloseServiceRestart, "the server's settings have changed"}
	closeFault       = Closing{websocket.CloseInternalServerErr, "a fault of ours"}
	closeSilent      = Closing{websocket.CloseAbnormalClosure, "no answer to two pings"}
	closeSlow        = Closing{websocket.CloseTryAgainLater, "too slow: messages wait for you"}
	closeFull        = Closing{websocket.CloseTryAgainLater, "the server holds too many messages"}
	closeOwnFull     = Closing{websocket.CloseTryAgainLater, "too much of yours is held here"}
	closeFlood       = Closing{websocket.ClosePolicyViolation, errFlood.Error()}
	closeLate        = Closing{websocket.ClosePolicyViolation, "a message took too long"}
	closeCatGone     = Closing{websocket.CloseTryAgainLater, "the Cat can't be reached"}
	closeStale       = Closing{websocket.CloseServiceRestart, "the Cat speaks to this socket no more: connect again"}
	closeFresh       = Closing{websocket.CloseNormalClosure, "another socket is opened in place of this one"}
	closeForgotten   = Closing{websocket.CloseTryAgainLater, "too much has changed meanwhile; try again"}
	closeUnused      = Closing{websocket.CloseNormalClosure, "nobody is left"}
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
	// settle is how long the Cat is given after a socket's close is complete before
	// the same person's next one opens: reopened at once, up to a quarter stay silent
	// for ever; none did from 20 ms on at a Cat with nothing else to do, one in
	// twenty did after 25 ms at a busy one.
	settle = 100 * time.Millisecond
	// closeWait bounds a close handshake; then the connection is cut.
	closeWait = 3 * time.Second
	// controlWait bounds the writing of a close.
	controlWait = 5 * time.Second
	// waited is how long a write takes that had to wait for its reader.
	waited = 50 * time.Millisecond
	// look is how often expiry is compared with the clock.
	look = 200 * time.Millisecond
	// abortWait is how long sockets that were cut may take to be told of.
	abortWait = time.Second
)

// refusalOf is how a connection is ended over what came from it, if its reading ended
// for that.
func refusalOf(err error, name string) (Closing, bool) {
	own, isOwn := errors.AsType[*EndedError](err)
	switch {
	case isOwn:
		return own.Closing, true
	case errors.Is(err, websocket.ErrReadLimit):
		return Closing{websocket.CloseMessageTooBig, "message too large"}, true
	case errors.Is(err, errLate):
		return closeLate, true
	case errors.Is(err, errFlood):
		return closeFlood, true
	case errors.Is(err, attributes.ErrNotObject):
		return closeNotAnObject, true
	case errors.Is(err, errNotUTF8):
		return Closing{websocket.CloseInvalidFramePayloadData, err.Error()}, true
	case errors.Is(err, errProtocol):
		return Closing{websocket.CloseProtocolError, "a malformed frame from " + name}, true
	}
	return Closing{}, false
}

// because makes the error of a join that is ended before it has opened anything.
func because(c Closing) error {
	if c == closeStopping {
		return ErrStopping
	}
	return &EndedError{c}
}

// frame writes the payload of a close frame that passes a received one on.
func frame(e *websocket.CloseError) []byte {
	if e.Code == websocket.CloseNoStatusReceived {
		return nil
	}
	return websocket.FormatCloseMessage(e.Code, e.Text)
}
