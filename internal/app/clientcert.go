package app

import (
	"crypto/tls"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/clientcert"
)

// openCertificates reads the authorities of client certificates, if the listener asks
// for these.
func (a *app) openCertificates(c *config.Config) (err error) {
	if c.TLS.AsksForCertificates() {
		a.clients, err = clientcert.Open(c.ClientCertificateFiles(), a.log, time.Now)
	}
	return err
}

// certificates judges client certificates; nil where the listener asks for none.
func (a *app) certificates() authhandlers.Certificates {
	if a.clients == nil {
		return nil
	}
	return a.clients
}

// demandOne has the files of client certificates hold one authority, if a handler of
// this configuration takes people of the only one.
func (a *app) demandOne(c *config.Config) {
	if a.clients != nil && c.TLS.AsksForCertificates() {
		a.clients.DemandOne(c.ClientCertificateFiles().One)
	}
}

// clientTLS has the listener ask for client certificates. Whether one is accepted is
// judged for each request: files change while connections stay. Where one is required,
// it is judged at the handshake too. Sessions are not resumed: one of before could show
// a certificate that has since been replaced, and the client would not be asked again.
func clientTLS(base *tls.Config, clients *clientcert.Authorities, required bool) {
	base.SessionTicketsDisabled = true
	base.ClientAuth = tls.RequestClientCert
	if required {
		base.ClientAuth = tls.RequireAnyClientCert
		base.VerifyConnection = func(s tls.ConnectionState) error {
			_, err := clients.Judge(s.PeerCertificates)
			return err
		}
	}
	base.NextProtos = []string{"h2", "http/1.1"} // net/http adds them to base alone
	fixed := base.Clone()
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := fixed.Clone()
		now.ClientCAs = clients.Pool() // browsers offer what these vouch for
		return now, nil
	}
}
