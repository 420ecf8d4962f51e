package chat

import (
	"bytes"
	"io"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/cat"
)

// attributes is what plugins are told of the client as it is now, signed; empty where they
// are told nothing.
func (s *client) attributes() (string, error) {
	if s.hub.o.Attributes == nil {
		return "", nil
	}
	token, err := s.hub.o.Attributes(s.user.Load())
	if err != nil {
		return "", &EndedError{wsconn.ClosingFault}
	}
	return token, nil
}

// attributed puts a token into a whole message. It writes over the message.
func (s *client) attributed(message []byte, token string) ([]byte, error) {
	if token == "" {
		return message, nil
	}
	message, err := attributes.Rewrite(message, token)
	if err == nil && s.limit > 0 && int64(len(message)) > s.limit {
		return nil, websocket.ErrReadLimit // the Cat would close the socket of them all
	}
	return message, err
}

// attributing does the same with a message that streams through, of which begun has been
// read; ended is whether that is all. It returns what is to be read in its place, or nil.
func (s *client) attributing(begun []byte, ended bool, rest io.Reader) (io.Reader, error) {
	token, err := s.attributes()
	if err != nil || token == "" {
		return nil, err
	}
	whole := io.Reader(bytes.NewReader(bytes.Clone(begun)))
	if !ended {
		whole = io.MultiReader(whole, rest)
	}
	return attributes.NewReader(whole, token), nil
}

// notAnObject is the answer to a message into which no attributes can be put.
func notAnObject() []byte {
	return cat.ErrorFrame("NotAnObject", "A message here is a JSON object. This message was not delivered.")
}

// closeNotAnObject ends a socket of which a part of such a message may have passed.
var closeNotAnObject = Closing{Code: websocket.CloseInvalidFramePayloadData, Reason: "a message here is a JSON object"}
