// Package apikey lets scripts and bots in by API keys of Catflap's own, which
// `catflap key` makes.
//
// The rule it guards: a key is worth what its line in the file says, at this moment. The
// file holds a SHA-256 of each key and no key: a key is 256 random bits, which nobody
// finds from a hash, so that a slow hash would protect nothing and cost each request a
// second. A revoked key is out within seconds, its sockets too. A file that has become
// unreadable changes nothing, and is told of at /readyz until somebody has mended it.
//
// A key that acts for others names a person in the header user_id, for that one request.
// No other credential does. Such a key is a server's: it is refused on WebSockets, in
// queries, and from browsers. Its people have an alias that no handler has.
package apikey
