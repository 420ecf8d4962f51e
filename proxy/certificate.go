package proxy

import (
	"fmt"
	"net/http"

	"github.com/catflap/catflap/authhandlers"
)

// checkCertificate refuses a request over a connection whose client has shown a
// certificate that is not accepted now, whatever else it carries: the connection may be
// older than what the files say. The connection ends, so that the client can show
// another one.
func (ex *exchange) checkCertificate() *refusal {
	if ex.h.o.Certificates == nil || ex.r.TLS == nil || len(ex.r.TLS.PeerCertificates) == 0 {
		return nil
	}
	_, err := ex.h.o.Certificates.Judge(ex.r.TLS.PeerCertificates)
	if err == nil {
		return nil
	}
	ex.w.Header().Set("Connection", "close")
	return &refusal{
		status: http.StatusForbidden, code: authhandlers.CodeCertificate, public: "Your certificate is not accepted", rule: "tls.client_certificates",
		hint: "show another certificate or none, or have it renewed; a browser may have to be closed for that", err: fmt.Errorf("the client certificate is not accepted: %w", err),
	}
}
