package value

import "net/netip"

// Network reads a network of addresses, as CIDR has it: an address and the length of its
// network. The problem says what is wrong, if anything is, and the hint what to write.
func Network(text string) (p netip.Prefix, problem, hint string) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		hint = "write an address and the length of its network, such as 10.0.0.0/8"
		if ip, err := netip.ParseAddr(text); err == nil {
			hint = "write " + netip.PrefixFrom(ip, ip.BitLen()).String()
		}
		return p, "is no CIDR", hint
	}
	switch {
	case p.Addr().Is4In6() && p.Bits() <= 96:
		return p, "is an IPv4 address in the clothes of an IPv6 one", "write 0.0.0.0/0, if you mean everybody"
	case p.Addr().Is4In6():
		return p, "is an IPv4 address in the clothes of an IPv6 one", "write " + netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked().String()
	case p != p.Masked():
		return p, "the address is longer than its network", "write " + p.Masked().String()
	}
	return p, "", ""
}
