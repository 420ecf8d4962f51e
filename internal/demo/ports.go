package demo

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"syscall"
)

// held are listeners on the ports of the demo. Catflap opens its own two, so that
// they are held for it until the last moment.
type held struct{ listen, provider, cat, admin net.Listener }

func hold(o Options) (*held, error) {
	h := &held{}
	for _, c := range []struct {
		at        *net.Listener
		preferred string
		localhost bool
	}{{&h.listen, o.Listen, true}, {&h.provider, o.Provider, false}, {&h.cat, o.Cat, false}, {&h.admin, o.Admin, false}} {
		l, err := listenNear(c.preferred, c.localhost)
		if err != nil {
			h.release()
			return nil, err
		}
		*c.at = l
	}
	return h, nil
}

// handOver frees Catflap's two ports.
func (h *held) handOver() {
	_ = h.listen.Close()
	_ = h.admin.Close()
}

// release closes them all; closing twice is no harm.
func (h *held) release() {
	for _, l := range []net.Listener{h.listen, h.provider, h.cat, h.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// parts are the addresses of what listens. Catflap is opened as localhost and the
// provider as an address, since browsers keep the cookies of two ports together
// and those of two hosts apart.
func (h *held) parts(dir string) *parts {
	_, port, _ := net.SplitHostPort(h.listen.Addr().String()) // a listener's own address
	return &parts{
		Listen: h.listen.Addr().String(), Cat: h.cat.Addr().String(), Admin: h.admin.Addr().String(),
		Public: "http://" + net.JoinHostPort("localhost", port), Issuer: "http://" + h.provider.Addr().String(),
		ClientID: clientID, Audience: audience,
		ClientSecret: filepath.Join(dir, "client.secret"), JWTSecret: filepath.Join(dir, "cat.secret"),
	}
}

// listenNear listens at the address, or at a free port of its host.
func listenNear(address string, localhost bool) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s: the demo lets in everybody who asks, so it listens on a loopback address only", address)
	}
	if localhost {
		if host != "127.0.0.1" && host != "::1" {
			return nil, fmt.Errorf("%s: browsers open the demo as localhost, so it listens on 127.0.0.1 or ::1", address)
		}
		if takenForLocalhost(port) {
			port = "0"
		}
	}
	if l, err := net.Listen("tcp", net.JoinHostPort(host, port)); err == nil {
		return l, nil
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}

// takenForLocalhost reports a port that somebody else has on one of the addresses
// of localhost: browsers try both, and might reach them instead.
func takenForLocalhost(port string) bool {
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = l.Close()
		} else if errors.Is(err, syscall.EADDRINUSE) {
			return true
		}
	}
	return false
}
