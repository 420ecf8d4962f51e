package chat

import (
	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/proxy/cat"
)

// notAnObject is the answer to a message into which no attributes can be put.
func notAnObject() []byte {
	return cat.ErrorFrame("NotAnObject", "A message here is a JSON object. This message was not delivered.")
}

// closeNotAnObject ends a socket of which a part of such a message may have passed.
var closeNotAnObject = Closing{Code: websocket.CloseInvalidFramePayloadData, Reason: "a message here is a JSON object"}
