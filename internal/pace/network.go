package pace

import "net/netip"

// networkBits is what of an IPv6 address one stranger can't choose: the other 64 bits
// are theirs (RFC 6177).
const networkBits = 64

// Network is what the shares of strangers are for: an IPv4 address, or the network
// of an IPv6 address.
func Network(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if !ip.Is6() {
		return ip
	}
	p, err := ip.Prefix(networkBits)
	if err != nil { // 64 is within 128: can't happen
		return ip
	}
	return p.Addr()
}
