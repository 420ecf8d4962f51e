// Package e2e holds the end-to-end tests: the built binary, run as people run it,
// between real clients and something that answers like the Cat.
//
// The rule it guards: nothing is believed that was not seen on the wire. The
// tests know the binary by its configuration file, its ports and its log alone;
// between it and the Cat stands a tap that keeps every byte, and each byte which
// a client must not see, the Cat must not get or the log must not hold is
// searched for there.
//
// The foreign programs that take part (package parts) are two identity providers,
// the Cat's stock clients, the Cat's own server stack, the client of the Autobahn cases, a
// Redis server and a browser.
// Where one of them is missing its tests are skipped, except in CI, where that is a
// failure.
package e2e
