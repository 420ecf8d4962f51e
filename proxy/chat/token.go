package chat

import (
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
