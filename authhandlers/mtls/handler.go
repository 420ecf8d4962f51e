package mtls

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/certname"
	"github.com/catflap/catflap/internal/clientcert"
)

type handler struct {
	judge       authhandlers.Certificates
	issuer      string
	kind        string // of the name
	units       bool   // are groups
	authorities map[clientcert.Fingerprint]bool
	denied      map[clientcert.Fingerprint]bool
}

// Authenticate takes requests over a connection whose client has shown a certificate,
// and which carry no credential beside it.
func (h *handler) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	shown := r.ShownCertificates()
	if len(shown) == 0 {
		return nil, authhandlers.ErrNoCredential
	}
	if r.Credential != nil || r.Carried {
		return nil, fmt.Errorf("%w: the request carries a credential, which decides over the certificate", authhandlers.ErrNoCredential)
	}
	u, err := h.person(shown)
	if err == nil && r.Lasting {
		u.Evidence = evidence(shown)
	}
	return u, err
}

// Ambient says that browsers show a certificate whichever page asks.
func (h *handler) Ambient(*authhandlers.Request) bool { return true }

// Ready reports what keeps good certificates out.
func (h *handler) Ready(context.Context) error { return h.judge.Ready() }

// person is whose the certificates are now.
func (h *handler) person(shown []*x509.Certificate) (*authhandlers.AuthUserInfo, error) {
	chains, err := h.judge.Judge(shown)
	if err != nil {
		return nil, authhandlers.Reject(authhandlers.CodeCertificate, "the certificate is not accepted; show another one, or have it renewed", "the client certificate is not accepted: %w", err)
	}
	own := shown[0]
	if h.denied[clientcert.FingerprintOf(own)] {
		return nil, authhandlers.Reject(authhandlers.CodeCertificate, "the certificate is not accepted; show another one, or have it renewed", "the client certificate is one of denied")
	}
	end, ours := h.until(chains)
	if !ours {
		return nil, fmt.Errorf("%w: the certificate is of an authority that authorities does not list", authhandlers.ErrNoCredential)
	}
	subject, err := certname.Of(own, h.kind)
	if err != nil {
		return nil, authhandlers.Reject(authhandlers.CodeInvalidUserID, "the certificate does not name one person; get another one", "user_id: %s: %w", h.kind, err)
	}
	u := &authhandlers.AuthUserInfo{Issuer: h.issuer, Subject: subject, Name: subject, IssuedAt: own.NotBefore.Unix(), Expiry: end}
	if name, err := certname.Of(own, certname.CommonName); err == nil {
		u.Name = name
	}
	if h.units {
		if u.Groups, err = certname.Units(own); err != nil {
			return nil, authhandlers.Reject(authhandlers.CodeInvalidClaim, "the certificate's groups can't be read; get another one", "groups: ou: %w", err)
		}
	}
	return u, nil
}

// until is the latest end of the chains that lead to one of the handler's authorities.
func (h *handler) until(chains [][]*x509.Certificate) (end time.Time, ours bool) {
	for _, chain := range chains {
		if len(h.authorities) > 0 && !h.authorities[clientcert.FingerprintOf(chain[len(chain)-1])] {
			continue
		}
		if last := clientcert.Until(chain); !ours || last.After(end) {
			end, ours = last, true
		}
	}
	return end, ours
}

// Rejudge implements authhandlers.Rejudger.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	shown, err := shownIn(u.Evidence)
	if err != nil {
		return nil, authhandlers.Reject(authhandlers.CodeUnclaimed, "sign in again", "what was kept is no client certificate")
	}
	return h.person(shown)
}

// Generation implements authhandlers.Rejudger.
func (h *handler) Generation() uint64 { return h.judge.Generation() }

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Ambient     = (*handler)(nil)
	_ authhandlers.Prober      = (*handler)(nil)
	_ authhandlers.Rejudger    = (*handler)(nil)
)
