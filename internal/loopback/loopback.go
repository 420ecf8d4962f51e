// Package loopback knows the hosts that are this machine.
//
// The rule it guards: only what can't leave this machine may go in the clear. There
// is one answer for all who ask: for the address that browsers see, for cookies, for
// keys of issuers and for Redis. A name counts only where no resolver can send it
// elsewhere, so names below localhost don't.
package loopback

import (
	"net/netip"
	"strings"
)

// Host reports whether a host is this machine for sure, by its spelling. An IPv6
// address stands without brackets, as url.URL.Hostname returns it.
func Host(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}
