package keyset

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
)

// Trusting returns a client like this one that trusts these authorities instead of the
// system's; nil changes nothing.
func Trusting(client *http.Client, authorities *x509.CertPool) (*http.Client, error) {
	if authorities == nil {
		return client, nil
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("the client's transport can't be told what to trust")
	}
	transport = transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport.TLSClientConfig.RootCAs = authorities
	own := *client
	own.Transport = transport
	return &own, nil
}
