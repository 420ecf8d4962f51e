package oidc

import (
	"net/http"
	"net/url"
	"strings"
)

// detour is another way from Catflap to the provider than the one that browsers take.
// What is asked of the issuer's origin is asked of the other one, and what the
// document has there is the issuer's.
type detour struct {
	issuer, to *url.URL
}

// newDetour returns nil where both go the same way.
func newDetour(issuer, discovery string) (*detour, error) {
	if discovery == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	from, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	to, err := url.Parse(discovery)
	return &detour{from, to}, err
}

// document is where the discovery document is, as a browser would ask for it.
func (d *detour) document(issuer string) string {
	if d == nil {
		return wellKnown(issuer)
	}
	return swap(*d.to, d.issuer).String()
}

// public returns the address under which the browser knows an endpoint.
func (d *detour) public(address string) string {
	u, err := url.Parse(address)
	if d == nil || err != nil || !sameOrigin(u, d.to) {
		return address
	}
	return swap(*u, d.issuer).String()
}

// client sends the requests of a client the other way.
func (d *detour) client(c *http.Client) *http.Client {
	if d == nil {
		return c
	}
	own := *c
	own.Transport = detoured{d, c.Transport}
	return &own
}

type detoured struct {
	*detour
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (d detoured) RoundTrip(r *http.Request) (*http.Response, error) {
	next := d.next
	if next == nil {
		next = http.DefaultTransport //nolint:forbidigo // as a client without a transport does; who asks has a time-out
	}
	if !sameOrigin(r.URL, d.issuer) {
		return next.RoundTrip(r)
	}
	own := r.Clone(r.Context())
	own.URL, own.Host = swap(*r.URL, d.to), ""
	resp, err := next.RoundTrip(own)
	if resp != nil {
		resp.Request = r // redirects are relative to what was asked for
	}
	return resp, err
}

// CloseIdleConnections is what http.Client looks for.
func (d detoured) CloseIdleConnections() {
	if c, ok := d.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// swap returns u at the origin of o.
func swap(u url.URL, o *url.URL) *url.URL {
	u.Scheme, u.Host = o.Scheme, o.Host
	return &u
}

func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}
