package mtls

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
)

// evidence is what is kept of shown certificates: they are public, and nobody can come
// in with them who has not the key.
func evidence(shown []*x509.Certificate) string {
	var der []byte
	for _, c := range shown {
		der = append(der, c.Raw...)
	}
	return base64.RawStdEncoding.EncodeToString(der)
}

// shownIn are the certificates of an evidence.
func shownIn(evidence string) ([]*x509.Certificate, error) {
	der, err := base64.RawStdEncoding.DecodeString(evidence)
	if err != nil {
		return nil, err
	}
	shown, err := x509.ParseCertificates(der)
	if err == nil && len(shown) == 0 {
		err = errors.New("no certificates")
	}
	return shown, err
}
