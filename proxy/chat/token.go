package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// tokenType is the type of the frame with which a client presents a new token:
//
//	{"type":"catflap.token","token":"..."}
//
// However it is written, such a frame never reaches the Cat. Its answer is of the same
// type.
const tokenType = "catflap.token"

// maxTokenFrame bounds such a frame.
const maxTokenFrame = copyBufferSize

// reauthWait bounds the verification of a token.
const reauthWait = 10 * time.Second

// tokenAnswer is the answer to a token frame.
type tokenAnswer struct {
	Type    string     `json:"type"`
	OK      bool       `json:"ok"`
	Expires *time.Time `json:"expires_at,omitempty"`
	Error   string     `json:"error,omitempty"`
}

// reauthenticate has a token frame verified, in the reader's goroutine: what the
// client sends next waits for it. It returns the answer, or why the socket ends.
func (s *client) reauthenticate(frame []byte) ([]byte, *Closing) {
	var f struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}
	frame = bytes.TrimPrefix(frame, []byte("\xef\xbb\xbf"))
	if err := json.Unmarshal(frame, &f); err != nil || f.Type != tokenType || f.Token == "" {
		return nil, &closeBadToken
	}
	h := s.hub
	if h.o.Reauthenticate == nil {
		return tokenAnswer{Error: "new tokens are not taken here"}.bytes(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), reauthWait)
	defer cancel()
	before := s.user.Load()
	since := h.Mark()
	u, err := h.o.Reauthenticate(ctx, before, f.Token)
	if err == nil {
		err = h.become(s, since, before, u)
	}
	switch c := ending(err, closeRefused); {
	case c != nil:
		return nil, c
	case err != nil:
		return tokenAnswer{Error: "the token can't be verified at the moment"}.bytes(), nil
	}
	return accepted(u).bytes(), nil
}

func accepted(u *authhandlers.AuthUserInfo) tokenAnswer {
	a := tokenAnswer{OK: true}
	if !u.Expiry.IsZero() {
		at := u.Expiry.UTC()
		a.Expires = &at
	}
	return a
}

func (a tokenAnswer) bytes() []byte {
	a.Type = tokenType
	b, err := json.Marshal(a)
	if err != nil { // a year that JSON can't write
		a.Expires = nil
		b, _ = json.Marshal(a) //nolint:errchkjson // nothing is left that could fail
	}
	return b
}
