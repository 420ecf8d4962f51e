package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/catflap/catflap/internal/loopback"
)

const adminOff = "off"

func (v *validator) listeners() {
	for i, name := range v.c.AdminHosts {
		if u, err := url.Parse("http://" + name); err != nil || u.Host != name || u.Port() != "" || strings.ContainsAny(name, "*:[]") || name == "" {
			v.bad(item("admin_hosts", i), quote(name)+" is no host name", "write a name alone, such as catflap-admin.internal: no scheme, no port, no pattern")
		}
	}
	public, ok := v.address("listen", v.c.Listen)
	if v.c.AdminListen == adminOff {
		return
	}
	admin, okAdmin := v.address("admin_listen", v.c.AdminListen)
	if ok && okAdmin && public.overlaps(admin) {
		v.bad("admin_listen", "is the address of listen too", "choose another port; health, metrics and reload never stand on the public listener")
	}
}

// address is a host and a port to listen on.
type address struct {
	host string
	port int
}

func (v *validator) address(field, text string) (a address, ok bool) {
	host, port, err := net.SplitHostPort(text)
	n, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil || strings.ContainsAny(host, "/@ *") {
		hint := "write for example 127.0.0.1:8080, or :8080 for every interface"
		if field == "admin_listen" {
			hint = "write for example 127.0.0.1:9090, or off"
		}
		v.bad(field, quote(text)+" is no host:port", hint)
		return a, false
	}
	return address{host, int(n)}, true
}

// overlaps reports whether both would want the same port. Port 0 is a free one.
func (a address) overlaps(b address) bool {
	return a.port == b.port && a.port != 0 &&
		(a.everywhere() || b.everywhere() || strings.EqualFold(a.host, b.host) || a.loopback() && b.loopback())
}

func (a address) everywhere() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.host == "" || err == nil && ip.IsUnspecified()
}

func (a address) loopback() bool { return loopback.Host(a.host) }

func (v *validator) publicURL() {
	if v.c.PublicURL == "" {
		return
	}
	if problem := bareURL(v.c.PublicURL, "http", "https"); problem != "" {
		v.bad("public_url", problem, "write scheme, host and port only, such as https://chat.example.com")
	}
}

// bareURL says what is wrong with a URL that should be scheme, host and port
// only. It does not repeat the URL, which may hold a password.
func bareURL(text string, schemes ...string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is no URL"
	case !oneOf(u.Scheme, schemes):
		return "does not begin with " + strings.Join(schemes, ":// or ") + "://"
	case u.User != nil:
		return "holds a user name or password"
	case u.Hostname() == "":
		return "names no host"
	case !validPort(u.Port()) || strings.HasSuffix(u.Host, ":"):
		return "has no valid port"
	case u.Path != "":
		return "has a path"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "has a query or a fragment"
	case strings.ContainsAny(u.Host, "*, \"'<>\\^`{|}"):
		return "has a host with a character that hosts don't have"
	}
	return ""
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func oneOf(s string, all []string) bool {
	return slices.Contains(all, s)
}

func (v *validator) trustedProxies() {
	for i, text := range v.c.TrustedProxies {
		field := item("trusted_proxies", i)
		p, err := netip.ParsePrefix(text)
		if err != nil {
			hint := "write an address and the length of its network, such as 10.0.0.0/8"
			if ip, err := netip.ParseAddr(text); err == nil {
				hint = "write " + netip.PrefixFrom(ip, ip.BitLen()).String()
			}
			v.bad(field, quote(text)+" is no CIDR", hint)
			continue
		}
		switch {
		case p.Bits() == 0, p.Addr().Is4In6() && p.Bits() <= 96:
			v.bad(field, "everybody would be a trusted proxy, and could say who they are and where they come from", "name the addresses of your own proxies")
		case p.Addr().Is4In6():
			v.bad(field, "is an IPv4 address in the clothes of an IPv6 one", "write "+netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked().String())
		case p != p.Masked():
			v.bad(field, "the address is longer than its network", "write "+p.Masked().String())
		}
	}
}

func (v *validator) origins() {
	first := map[string]bool{}
	for i, text := range v.c.Origins {
		field := item("origins", i)
		message, hint := originProblem(text)
		switch {
		case message != "":
			v.bad(field, message, hint)
		case first[text]:
			v.bad(field, "is written twice", "remove one")
		}
		first[text] = true
	}
}

// originProblem compares with what browsers send (RFC 6454 §6.2): an origin that
// is written otherwise never matches, and one that matches more is a hole.
func originProblem(text string) (message, hint string) {
	const example = "write scheme, host and port exactly as browsers send them, such as https://app.example.com"
	switch {
	case text == "null":
		return "null is the origin of every sandboxed page and local file", "give the page an origin of its own"
	case strings.Contains(text, "*"):
		return "an origin has no wildcard", "list each origin"
	case strings.HasSuffix(text, "/"):
		return "an origin has no path, and no slash at its end", "remove what follows host and port"
	}
	if scheme, is := appOrigin(text); is {
		return appOriginProblem(text, scheme)
	}
	if problem := bareURL(text, "http", "https"); problem != "" {
		return problem, example
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is no URL", example
	case text != strings.ToLower(text):
		return "browsers send origins in lower case", "write " + strings.ToLower(text)
	case u.Scheme == "http" && u.Port() == "80", u.Scheme == "https" && u.Port() == "443":
		return "browsers leave out the port " + u.Port() + " of " + u.Scheme, "write " + strings.TrimSuffix(text, ":"+u.Port())
	case !ascii(text):
		return "browsers send hosts in their ASCII form", "write the host as xn--..."
	}
	return "", ""
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
