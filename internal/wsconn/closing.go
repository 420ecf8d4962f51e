package wsconn

import (
	"errors"

	"github.com/gorilla/websocket"
)

// Closing is why a connection ends: a close code (RFC 6455 §7.4) and a reason of at most
// 123 bytes for the person at the other end. Code 1006 stands for an end without a close
// frame, and 1005 for a close frame without a code.
type Closing struct {
	Code   int
	Reason string
}

// The closings that a connection ends with by itself.
var (
	// ClosingSilent is a connection that has answered no ping.
	ClosingSilent = Closing{websocket.CloseAbnormalClosure, "no answer to two pings"}
	// ClosingFault is a connection whose reader has met a fault of ours.
	ClosingFault = Closing{websocket.CloseInternalServerErr, "a fault of ours"}
	// ClosingLate is a connection of which a message has not come whole in time.
	ClosingLate = Closing{websocket.ClosePolicyViolation, "a message took too long"}
	// ClosingFlood is a connection on which too many control frames come.
	ClosingFlood = Closing{websocket.ClosePolicyViolation, errFlood.Error()}
)

// ErrNotUTF8 means that a text message is not UTF-8 (RFC 6455 §8.1).
var ErrNotUTF8 = errors.New("a text message is not UTF-8")

// UnsentError means that a message, or the part of one, was not written to its end: the
// other end never has the whole of it, and it may be sent again over another connection.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnsentError) Unwrap() error { return e.Err }

// Refusal is an error of the one who takes messages that ends the connection with a Closing.
type Refusal interface {
	error
	Refused() Closing
}

// payload is what stands in a close frame.
func (c Closing) payload() []byte {
	if c.Code == websocket.CloseNoStatusReceived {
		return nil
	}
	return websocket.FormatCloseMessage(c.Code, c.Reason)
}

// properClose returns the close frame that ended the reading, or nil.
func properClose(err error) *websocket.CloseError {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok && closed.Code != websocket.CloseAbnormalClosure {
		return closed
	}
	return nil
}

// refusalOf is how a connection is ended over what came from its other end, if its
// reading ended for that.
func refusalOf(err error, peer string) (Closing, bool) {
	own, isOwn := errors.AsType[Refusal](err)
	switch {
	case isOwn:
		return own.Refused(), true
	case errors.Is(err, websocket.ErrReadLimit):
		return Closing{websocket.CloseMessageTooBig, "message too large"}, true
	case errors.Is(err, errLate):
		return ClosingLate, true
	case errors.Is(err, errFlood):
		return ClosingFlood, true
	case errors.Is(err, ErrNotUTF8):
		return Closing{websocket.CloseInvalidFramePayloadData, err.Error()}, true
	case errors.Is(err, errProtocol):
		return Closing{websocket.CloseProtocolError, "a malformed frame from " + peer}, true
	}
	return Closing{}, false
}
