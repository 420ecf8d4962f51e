package jwt

import (
	"slices"

	"github.com/catflap/catflap/authhandlers"
)

// Reach tells which tokens of an issuer are decided by a configuration, before any
// is verified.
type Reach struct {
	Issuer     string
	Algorithms []string
	// Carrier is where the tokens come, if the configuration takes them from there alone.
	Carrier authhandlers.Carrier
	// Signer is the load balancer that signs the tokens, if one does.
	Signer string
	// Access is for access tokens, ID for ID tokens.
	Access, ID Scope
}

// Scope is the audiences and clients of tokens; nil is any.
type Scope struct {
	Audiences, Clients []string
	// Takes says that such tokens are taken; they may be decided only to be refused.
	Takes bool
	// OwnClients says that a token's azp must be one of Audiences, if Clients is nil.
	OwnClients bool
}

// Reacher is a configuration that knows its Reach.
type Reacher interface{ Reach() Reach }

// Reach implements Reacher.
func (c *Config) Reach() Reach {
	s := Scope{Audiences: c.Audiences, Clients: c.Clients, Takes: c.InsecureAnyAudience || len(c.Audiences) > 0}
	if c.Signer != "" && s.Audiences == nil {
		s.Audiences, s.Takes = []string{c.Signer}, true
	} else if !c.InsecureAnyAudience && s.Audiences == nil {
		s.Audiences = []string{}
	}
	id := s
	id.Takes = s.Takes && c.AcceptIDTokens
	id.OwnClients = c.AcceptIDTokens
	r := Reach{Issuer: c.Issuer, Algorithms: c.Allowed(), Access: s, ID: id, Signer: c.Signer}
	if !c.Carrier.isZero() {
		r.Carrier = c.Carrier.name()
	}
	return r
}

// HiddenBehind implements authhandlers.Reacher.
func (c *Config) HiddenBehind(earlier []any) int { return HiddenBehind(c, earlier) }

// HiddenBehind returns the index of an earlier configuration that, with those beside
// it, decides about each token that c takes; -1 if one can reach c, or c takes none.
func HiddenBehind(c Reacher, earlier []any) int {
	own, by := c.Reach(), -1
	for _, kind := range []func(Reach) Scope{
		func(r Reach) Scope { return r.Access },
		func(r Reach) Scope { return r.ID },
	} {
		if !kind(own).Takes {
			continue
		}
		for _, algorithm := range own.Algorithms {
			by = slices.IndexFunc(earlier, func(e any) bool {
				before, ok := e.(Reacher)
				if !ok {
					return false
				}
				r := before.Reach()
				return r.Issuer == own.Issuer && r.Carrier == own.Carrier && r.Signer == own.Signer && slices.Contains(r.Algorithms, algorithm) && kind(r).covers(kind(own))
			})
			if by < 0 {
				return -1
			}
		}
	}
	return by
}

// covers reports that each token that is o's is s's, too.
func (s Scope) covers(o Scope) bool {
	if s.Audiences != nil && !within(o.Audiences, s.Audiences) {
		return false
	}
	if s.Clients != nil {
		return within(o.Clients, s.Clients)
	}
	if !s.OwnClients {
		return true
	}
	made := o.Clients // the clients that they were made for
	if made == nil {
		made = o.Audiences
	}
	return s.Audiences != nil && within(made, s.Audiences)
}

// within reports that each of a is one of b; nil is anybody, and within nothing.
func within(a, b []string) bool {
	return a != nil && !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}
