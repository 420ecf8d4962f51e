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
	switch lastElement(r.Header["X-Forwarded-Proto"]) {
	case "http":
		p.scheme = "http"
	case "https":
		p.scheme = "https"
	}
	if host := lastElement(r.Header["X-Forwarded-Host"]); host != "" {
		p.host = host
	}
	p.ip = forwardedFor(p.ip, r.Header["X-Forwarded-For"], trusted)
	return p
}

// forwardedFor walks the list from its end, where the nearest proxy wrote, to the
// first address that is not a trusted proxy's: what stands before it is only said.
func forwardedFor(ip netip.Addr, lines []string, trusted []netip.Prefix) netip.Addr {
	elements := strings.Split(strings.Join(lines, ","), ",")
	for _, element := range slices.Backward(elements) {
		next, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(element), "[]"))
		if err != nil {
			return ip
		}
		ip = next.Unmap()
		if !within(ip, trusted) {
			return ip
		}
	}
	return ip
}

func lastElement(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	line := lines[len(lines)-1]
	return strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:])
}

func within(ip netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
