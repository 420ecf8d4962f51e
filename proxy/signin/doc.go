// Package signin is the way of a person with a browser: to the identity provider,
// back, and out again. It holds the pages and addresses of that way.
//
// The rule it guards: a session begins only with an answer of the provider to an
// attempt that this very browser began, once and within ten minutes (RFC 9700
// §2.1, §4.7); it ends here before anybody else is told; and nobody is ever sent
// on to an address that is not our own ([ReturnPath]). What goes wrong is told to
// the person without a word of the provider's, and with the id that is in the log.
//
// A way that leads back to its beginning is broken with a page that says why:
// a browser that keeps no cookies, or a provider that lets everybody in at once
// while nobody gets a session.
package signin
