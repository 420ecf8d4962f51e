package proxy

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// peer says where a request came from, and how. Only a front proxy whose address
// is listed is believed about it.
type peer struct {
	ip     netip.Addr
	scheme string
	host   string
}

// origin is the origin of the pages that are served there, as browsers write it:
// in lower case, without the scheme's own port (RFC 6454 §6.1).
func (p *peer) origin() string {
	host := strings.ToLower(p.host)
	switch p.scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return p.scheme + "://" + host
}

// readPeer reads where r came from.
func readPeer(r *http.Request, trusted []netip.Prefix) peer {
	p := peer{scheme: "http", host: r.Host}
	if r.TLS != nil {
		p.scheme = "https"
	}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.ip = addr.Addr().Unmap()
	}
	if !within(p.ip, trusted) {
		return p
	}
	var hops int
	p.ip, hops = forwardedFor(p.ip, r.Header["X-Forwarded-For"], trusted)
	if scheme := webScheme(element(r.Header["X-Forwarded-Proto"], hops)); scheme != "" {
		p.scheme = scheme
	}
	if host := element(r.Header["X-Forwarded-Host"], hops); host != "" {
		p.host = host
	}
	return p
}

// webScheme is the scheme of the page behind a forwarded one: Traefik writes ws and
// wss for the handshake of a WebSocket. Other schemes are not believed.
func webScheme(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http", "ws":
		return "http"
	case "https", "wss":
		return "https"
	}
	return ""
}

// forwardedFor walks the list from its end, where the nearest proxy wrote, to the
// first address that is not a trusted proxy's: the elements before it are hearsay.
// hops is how many trusted proxies stand between that client and the peer.
func forwardedFor(peer netip.Addr, lines []string, trusted []netip.Prefix) (ip netip.Addr, hops int) {
	ip = peer
	elements := strings.Split(strings.Join(lines, ","), ",")
	for i, e := range slices.Backward(elements) {
		next, ok := forwardedAddr(e)
		if !ok {
			return ip, hops
		}
		ip = next
		if !within(ip, trusted) || i == 0 {
			return ip, hops
		}
		hops++
	}
	return ip, hops
}

// forwardedAddr reads one element: an address, an address in brackets, or either
// with a port, as Azure's gateways write it.
func forwardedAddr(element string) (netip.Addr, bool) {
	element = strings.Trim(strings.TrimSpace(element), `"`)
	if addr, err := netip.ParseAddrPort(element); err == nil {
		return addr.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(element, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

// element is the element of a list that the proxy wrote which the client spoke to:
// the one before the last hops, each of which appended its own. A proxy that
// replaces the list leaves fewer, and then the first one counts.
func element(lines []string, hops int) string {
	elements := strings.Split(strings.Join(lines, ","), ",")
	return strings.TrimSpace(elements[max(0, len(elements)-1-hops)])
}

func within(ip netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
