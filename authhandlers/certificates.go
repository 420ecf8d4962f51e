package authhandlers

import "crypto/x509"

// Certificates judges the certificates of clients by what the listener's files say now:
// the handshake, which proves that the client has the key, may be hours old.
type Certificates interface {
	// Judge returns the chains by which the client's certificate, the first of those
	// that it has shown, is vouched for. Each begins with it and ends with an authority.
	// The error says why there is none.
	Judge(shown []*x509.Certificate) (chains [][]*x509.Certificate, err error)
	// Generation changes whenever the answers of Judge may, but for the end of a
	// certificate.
	Generation() uint64
	// Ready reports what keeps good certificates out.
	Ready() error
}

// ShownCertificates are those that the client of a request has shown, its own first.
func (r *Request) ShownCertificates() []*x509.Certificate {
	if r.HTTP == nil || r.HTTP.TLS == nil {
		return nil
	}
	return r.HTTP.TLS.PeerCertificates
}

// CertificateTaker is an optional ability of a Config: it says for what the handler
// takes client certificates, which the listener must then ask for.
type CertificateTaker interface {
	// CertificatesOf reports whether certificates are people's, or those of front proxies
	// which speak for people.
	CertificatesOf() (people, proxies bool)
	// AuthorityFingerprints (SHA-256) are those of the authorities whose people these
	// are; none means the only one that there is.
	AuthorityFingerprints() []string
}
