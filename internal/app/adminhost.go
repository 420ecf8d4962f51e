package app

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/catflap/catflap/config"
)

// ownHosts passes on what asks by a name of this listener. A page of somebody else's
// can have its own name lead here (DNS rebinding), and is then of the same origin for
// a browser; but it can't have an address or localhost for a name.
func (a *app) ownHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownHost(a.current.Load().config, r.Host) {
			writeJSON(w, http.StatusMisdirectedRequest, map[string]string{
				"status": "refused", "problem": "this name is none of the admin listener's: ask by an IP address or localhost, or list the name in admin_hosts",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func ownHost(c *config.Config, host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	host = strings.TrimSuffix(host, ".")
	own, _, _ := net.SplitHostPort(c.AdminListen)
	for _, name := range append([]string{"localhost", own}, c.AdminHosts...) {
		if name != "" && strings.EqualFold(host, name) {
			return true
		}
	}
	return false
}
