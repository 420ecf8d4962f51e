// Package session keeps who has signed in in which browser. What a browser holds is
// an opaque id; everything else is here, in memory or in a Redis that several
// Catflaps share.
//
// The rule it guards: a session is what its cookie's 256 bits name, and nothing
// else makes one. What is kept is encrypted and bound to its place, so that whoever
// reads or writes the store can neither make a cookie nor turn one person's session
// into another's. A session that has ended stays ended: nothing that was under way
// meanwhile, a renewal above all, brings it back. And a grant at the provider is
// renewed by one at a time, however many ask and wherever, since the second use of
// a refresh token ends the grant.
package session
