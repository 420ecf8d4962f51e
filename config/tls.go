package config

import "github.com/catflap/catflap/config/value"

// TLS names the certificate of the public listener. Both files are read again
// when they change; a pair that can't be used leaves the last good one in place.
type TLS struct {
	// The certificate chain, PEM.
	CertFile value.Path `yaml:"cert_file" required:"true" example:"tls.crt"`
	// The private key, PEM.
	KeyFile value.Path `yaml:"key_file" required:"true" example:"tls.key"`
	// Ask clients for a certificate, for handlers of type mtls and for front proxies. off:
	// no. optional: a client without one connects, too. required: nobody connects without
	// one. A certificate that is not accepted is refused with whatever comes beside it.
	ClientCertificates string `yaml:"client_certificates" default:"off" enum:"off,optional,required"`
	// The authorities that vouch for the certificates of clients, PEM. Read again when it
	// changes. Required with client_certificates.
	ClientCAFile value.Path `yaml:"client_ca_file" example:"people-ca.pem"`
	// Their revocation lists, PEM, or one in DER. Read again when it changes. With it, a
	// certificate is accepted only while each authority above it has a current list here.
	ClientCRLFile value.Path `yaml:"client_crl_file" example:"people.crl"`
}

// AsksForCertificates reports whether the listener asks clients for a certificate.
func (t *TLS) AsksForCertificates() bool {
	return t != nil && t.ClientCertificates != "" && t.ClientCertificates != "off"
}
