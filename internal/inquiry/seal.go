package inquiry

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
)

var errSealed = errors.New("not encrypted here, or for another service")

// sealer encrypts credentials of people who have something open.
type sealer struct {
	label []byte
	keys  []cipher.AEAD // the first one encrypts
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
		own := make([]byte, 32)
		rand.Read(own) // never fails
		secrets = [][]byte{own}
	}
	s := &sealer{label: []byte(label)}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "catflap evidence of an asked credential", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, aead)
	}
	return s, nil
}

func (s *sealer) seal(credential string, permissions []string) string {
	plain, err := json.Marshal(sealed{[]byte(credential), permissions, permissions != nil})
	if err != nil {
		return "" // it can't be: bytes and texts
	}
	return base64.RawURLEncoding.EncodeToString(s.keys[0].Seal(nil, nil, plain, s.label)) //nolint:gosec // the nonce is made by the AEAD itself
}

func (s *sealer) open(text string) (credential string, permissions []string, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", nil, errSealed
	}
	for _, k := range s.keys {
		plain, err := k.Open(nil, nil, b, s.label)
		if err != nil {
			continue
		}
		var e sealed
		if err := json.Unmarshal(plain, &e); err != nil {
			return "", nil, errSealed
		}
		if e.Own && e.Permissions == nil {
			e.Permissions = []string{}
		}
		return string(e.Credential), e.Permissions, nil
	}
	return "", nil, errSealed
}
