// Package provider is a small OpenID provider to play with: alice, an
// administrator, and bob sign in at it with one press of a button.
//
// The rule it guards: nobody but a person at this machine can use it, and what it
// speaks is what a real provider speaks. It asks for no password, so that it
// answers only under the loopback address in its issuer and believes no other
// site's forms. The rest is as strict as the specifications let it be, so that a
// client that is careless with a real provider fails here too: PKCE with S256
// alone (RFC 7636), codes and refresh tokens that are worth one use, exact
// redirect URIs (RFC 9700), the iss of RFC 9207, and logout in both directions
// (OpenID Connect RP-Initiated Logout and Back-Channel Logout).
//
// It is embedded in the demo and in tests. It keeps everything in memory and is
// no provider for people who matter.
package provider
