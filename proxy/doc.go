// Package proxy is the way of a request: arrive, sanitise, authenticate,
// authorise, rewrite, forward.
//
// The rule it guards: every request that the Cat receives was judged in exactly
// the form in which it is sent, carries one identity, made here, and no
// credential or identity that the client made. What can be read in two ways is
// refused; what is not known is not forwarded; what fails, fails closed.
//
// The steps stand in exchange.go, and what they need in files of their own:
// target.go (arrive), credential.go and sanitise.go, forward.go (rewrite, forward),
// choose.go (which Cat); package upstream is the way to the Cats; websocket.go is the
// handshake, package chat the socket.
package proxy
