package value

import (
	"crypto/x509"
	"fmt"
)

// maxCertificates bounds a file of certificates. That of a whole system has some 250 KiB.
const maxCertificates = 1 << 20

// Certificates reads the authorities of a PEM file, which are trusted instead of the
// system's. Without a file it is nil, which are the system's.
func (p Path) Certificates() (*x509.CertPool, error) {
	if p == "" {
		return nil, nil //nolint:nilnil // nil is the system's in crypto/tls, too
	}
	pem, err := ReadFile(string(p), maxCertificates)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", p)
	}
	return pool, nil
}
