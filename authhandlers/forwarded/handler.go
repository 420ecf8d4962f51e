package forwarded

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/catflap/catflap/authhandlers"
)

type handler struct {
	proof
	issuer                   string
	now                      func() time.Time
	life                     time.Duration
	from                     []netip.Prefix
	user, name, mail, groups string // headers, as net/http spells them; empty: none
	separator                string // of groups; empty: they are one
	email                    bool   // is granted by
}

// Authenticate takes requests from the proxy that name a person, and carry no token.
func (h *handler) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	lines, secrets := r.HTTP.Header[h.user], h.secretLines(r)
	named := present(lines)
	peer := peerOf(r)
	if !h.listed(peer) {
		if by := h.ownCertificate(r); by != "" && r.Credential == nil && !r.Carried {
			return nil, refuse("the proxy in front must come from an address that is listed", "the proxy's certificate (%s) came from %s, which from does not list", by, peer)
		}
		if named || present(secrets) {
			return nil, fmt.Errorf("%w: %s came from %s, which from does not list", authhandlers.ErrNoCredential, h.user, peer)
		}
		return nil, authhandlers.ErrNoCredential
	}
	// Basic is what some proxies add by themselves for each person behind them, and
	// nobody's here.
	if r.Carried || r.Credential != nil && r.Credential.Scheme != "basic" {
		return nil, fmt.Errorf("%w: the request carries a credential, which decides over %s", authhandlers.ErrNoCredential, h.user)
	}
	if !named && !present(secrets) {
		return nil, h.nobody(r)
	}
	from, err := h.proves(r, secrets)
	if err != nil {
		return nil, refuse("the proxy in front must prove itself", "%s from %s: %w", h.user, peer, err)
	}
	user, err := one(h.user, lines)
	if err != nil {
		return nil, err
	}
	if user == "" {
		return nil, h.nobody(r)
	}
	u, err := h.person(r, user)
	if err == nil && r.Lasting {
		from.Peer, from.User = peer, h.user
		u.Evidence = from.text()
	}
	return u, err
}

// Ambient says that it is a cookie of the proxy's by which people come, whichever page asks.
func (h *handler) Ambient(*authhandlers.Request) bool { return true }

// Ready reports what keeps the proxy's certificate out.
func (h *handler) Ready(context.Context) error {
	if len(h.names) == 0 {
		return nil
	}
	return h.judge.Ready()
}

// nobody is the answer to a request of the proxy's that names nobody. The proxy's own
// certificate must make nobody of it at another handler.
func (h *handler) nobody(r *authhandlers.Request) error {
	if h.ownCertificate(r) != "" {
		return authhandlers.Reject(authhandlers.CodeMissingCredential, "sign in", "the proxy names nobody in %s", h.user)
	}
	return authhandlers.ErrNoCredential
}

// ownCertificate is the configured name in a certificate that is the proxy's, or "". At a
// handler behind this one it would be one person's, and all people behind the proxy that one.
func (h *handler) ownCertificate(r *authhandlers.Request) string {
	by, err := h.certificate(r.ShownCertificates())
	if err != nil {
		return ""
	}
	return by
}

// proves verifies that the request is the proxy's.
func (h *handler) proves(r *authhandlers.Request, secrets []string) (e evidence, err error) {
	if e.SecretPrint, err = h.secret(secrets); err != nil {
		return e, err
	}
	e.Certificate, err = h.certificate(r.ShownCertificates())
	return e, err
}

func (h *handler) person(r *authhandlers.Request, user string) (*authhandlers.AuthUserInfo, error) {
	u := &authhandlers.AuthUserInfo{Issuer: h.issuer, Subject: user, Name: user, Expiry: h.now().Add(h.life)}
	if strings.Contains(user, ",") {
		return nil, refuse("the person's name is a list; sign in again", "%s holds a comma: it is a list, or somebody has added to it", h.user)
	}
	name, err := one(h.name, r.HTTP.Header[h.name])
	if err != nil {
		return nil, err
	}
	if name != "" {
		u.Name = name
	}
	mail, err := one(h.mail, r.HTTP.Header[h.mail])
	if err != nil {
		return nil, err
	}
	if mail != "" && h.email {
		u.Claims = map[string][]string{"email": {mail}}
	}
	groups, err := one(h.groups, r.HTTP.Header[h.groups])
	if err != nil {
		return nil, err
	}
	u.Groups = h.split(groups)
	return u, nil
}

func (h *handler) split(groups string) []string {
	if h.separator == "" && groups != "" {
		return []string{groups}
	}
	var all []string
	for g := range strings.SplitSeq(groups, h.separator) {
		if g = strings.TrimSpace(g); g != "" {
			all = append(all, g)
		}
	}
	return all
}

// one is the value of a header. Two lines are one more than the proxy writes.
func one(name string, lines []string) (string, error) {
	switch {
	case len(lines) > 1:
		return "", refuse("the request names the person twice", "%s came twice: the proxy must replace what a client sends", name)
	case len(lines) == 0:
		return "", nil
	case !utf8.ValidString(lines[0]):
		return "", refuse("the person's name can't be read", "%s is no UTF-8", name)
	}
	return lines[0], nil
}

func refuse(hint, format string, args ...any) *authhandlers.Rejection {
	return authhandlers.Reject(authhandlers.CodeForwarded, hint, format, args...)
}

// present reports lines of which one holds anything.
func present(lines []string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return l != "" })
}

func (h *handler) secretLines(r *authhandlers.Request) []string {
	if len(h.secrets) == 0 {
		return nil
	}
	return r.HTTP.Header[h.header]
}

// peerOf is the other end of the connection, whatever the request says of it.
func peerOf(r *authhandlers.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.HTTP.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

func (h *handler) listed(peer netip.Addr) bool {
	return slices.ContainsFunc(h.from, func(p netip.Prefix) bool { return p.Contains(peer) })
}

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Ambient     = (*handler)(nil)
	_ authhandlers.Prober      = (*handler)(nil)
	_ authhandlers.Rejudger    = (*handler)(nil)
)
