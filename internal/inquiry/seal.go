package inquiry

import (
	"encoding/json"
	"errors"

	"github.com/catflap/catflap/internal/base64url"
	"github.com/catflap/catflap/internal/seal"
)

var errSealed = errors.New("not encrypted here, or for another service")

// sealer encrypts credentials of people who have something open.
type sealer struct {
	label []byte
	ring  seal.Ring
}

// sealed is what is encrypted: the credential, and what the service itself lets its
// person do, which is nowhere else once the configuration has been put over it.
type sealed struct {
	Credential  []byte   `json:"c"`
	Permissions []string `json:"p,omitempty"`
	Own         bool     `json:"o,omitempty"` // Permissions count, if there are none too
}

func newSealer(secrets [][]byte, label string) (*sealer, error) {
	if len(secrets) == 0 {
		secrets = [][]byte{seal.Own()}
	}
	ring, err := seal.NewRing(secrets, "evidence of an asked credential")
	if err != nil {
		return nil, err
	}
	return &sealer{label: []byte(label), ring: ring}, nil
}

func (s *sealer) seal(credential string, permissions []string) string {
	plain, err := json.Marshal(sealed{[]byte(credential), permissions, permissions != nil})
	if err != nil {
		return "" // it can't be: bytes and texts
	}
	return base64url.Encode(s.ring.Seal(s.label, plain))
}

func (s *sealer) open(text string) (credential string, permissions []string, err error) {
	b, err := base64url.Decode(text)
	if err != nil {
		return "", nil, errSealed
	}
	plain, ok := s.ring.Open(s.label, b)
	var e sealed
	if !ok || json.Unmarshal(plain, &e) != nil {
		return "", nil, errSealed
	}
	if e.Own && e.Permissions == nil {
		e.Permissions = []string{}
	}
	return string(e.Credential), e.Permissions, nil
}
