// Package origin writes origins as browsers write them.
//
// The rule it guards: an origin that is compared with what browsers send is written
// in the one way in which they send it (WHATWG URL §4.5, RFC 6454 §6.2). Any other
// spelling never matches, and its pages are refused for no reason that shows.
package origin

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The errors say what a host has that browsers write in another way, which is not
// made up here.
var (
	ErrNotASCII = errors.New("browsers send hosts in their ASCII form")
	ErrNoIPv4   = errors.New("the host ends like an IPv4 address and is not four numbers")
	ErrNoIPv6   = errors.New("the host is no IPv6 address")
)

// Of returns the origin of an absolute URL: scheme, host and port. Letters are in
// lower case, the scheme's own port is left out, and addresses are in their short form.
func Of(u *url.URL) (string, error) {
	host, err := hostOf(strings.ToLower(u.Hostname()))
	if err != nil {
		return "", err
	}
	text := u.Scheme + "://" + host
	if port := portOf(u); port != "" {
		text += ":" + port
	}
	return text, nil
}

func hostOf(host string) (string, error) {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return "", ErrNotASCII
		}
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case strings.Contains(host, ":") && (err != nil || ip.Zone() != ""):
		return "", ErrNoIPv6
	case err == nil && ip.Is6():
		return "[" + shortIPv6(ip) + "]", nil
	case err != nil && endsInNumber(host):
		return "", ErrNoIPv4
	}
	return host, nil
}

// shortIPv6 differs from netip for IPv4 in IPv6, which browsers write in hexadecimal.
func shortIPv6(ip netip.Addr) string {
	if !ip.Is4In6() {
		return ip.String()
	}
	b := ip.As16()
	group := func(i int) string { return strconv.FormatUint(uint64(b[i])<<8|uint64(b[i+1]), 16) }
	return "::ffff:" + group(12) + ":" + group(14)
}

// endsInNumber reports a host that browsers take for an IPv4 address (WHATWG URL §3.5).
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func portOf(u *url.URL) string {
	port := strings.TrimLeft(u.Port(), "0")
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return ""
	}
	return port
}
