package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/catflap/catflap/config/value"
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
		p, problem, hint := value.Network(text)
		switch {
		case p.IsValid() && (p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= 96):
			v.bad(field, "everybody would be a trusted proxy, and could say who they are and where they come from", "name the addresses of your own proxies")
		case !p.IsValid():
			v.bad(field, quote(text)+" "+problem, hint)
		case problem != "":
			v.bad(field, problem, hint)
		}
	}
}
