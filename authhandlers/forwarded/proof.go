package forwarded

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/certname"
	"github.com/catflap/catflap/internal/clientcert"
)

// proof is what a request must bring to be the proxy's: each that is configured.
type proof struct {
	header      string
	secrets     [][sha256.Size]byte
	judge       authhandlers.Certificates
	names       []name
	authorities map[clientcert.Fingerprint]bool
}

var (
	errNoSecret    = errors.New("there is no secret beside it: does the proxy send secret_header?")
	errTwoSecrets  = errors.New("secret_header came twice: the proxy must replace what a client sends")
	errWrongSecret = errors.New("the secret is none of secrets: the proxy and Catflap must have the same")
	errNoName      = errors.New("its certificate has none of the names in certificates")
	errAuthority   = errors.New("its certificate is of an authority that authorities does not list")
	errNoProof     = errors.New("it showed no certificate")
)

// secret returns the print of the accepted secret that the lines hold. The time that
// this takes says nothing of the secrets.
func (p *proof) secret(lines []string) (print string, err error) {
	switch {
	case len(p.secrets) == 0:
		return "", nil
	case len(lines) == 0 || len(lines) == 1 && lines[0] == "":
		return "", errNoSecret
	case len(lines) > 1:
		return "", errTwoSecrets
	}
	given := sha256.Sum256([]byte(lines[0]))
	good := 0
	for _, s := range p.secrets {
		good |= subtle.ConstantTimeCompare(given[:], s[:])
	}
	if good != 1 {
		return "", errWrongSecret
	}
	return secretPrint(given), nil
}

// secretPrint tells secrets apart, and lets nobody guess one.
func secretPrint(sum [sha256.Size]byte) string {
	again := sha256.Sum256(sum[:])
	return hex.EncodeToString(again[:8])
}

func (p *proof) stillHas(print string) bool {
	if len(p.secrets) == 0 {
		return print == ""
	}
	return slices.ContainsFunc(p.secrets, func(s [sha256.Size]byte) bool { return secretPrint(s) == print })
}

// certificate returns the name by which the shown certificate is the proxy's.
func (p *proof) certificate(shown []*x509.Certificate) (by string, err error) {
	if len(p.names) == 0 {
		return "", nil
	}
	if len(shown) == 0 {
		return "", errNoProof
	}
	chains, err := p.judge.Judge(shown)
	if err != nil {
		return "", fmt.Errorf("its certificate is not accepted: %w", err)
	}
	if len(p.authorities) > 0 && !slices.ContainsFunc(chains, func(c []*x509.Certificate) bool { return p.authorities[clientcert.FingerprintOf(c[len(c)-1])] }) {
		return "", errAuthority
	}
	for _, n := range p.names {
		if all, err := certname.All(shown[0], n.kind); err == nil && slices.Contains(all, n.text) {
			return n.kind + ":" + n.text, nil
		}
	}
	return "", errNoName
}

func (p *proof) stillNames(by string) bool {
	if len(p.names) == 0 {
		return by == ""
	}
	return slices.ContainsFunc(p.names, func(n name) bool { return n.kind+":"+n.text == by })
}
