// Package demo is the whole product on one machine: an identity provider with
// alice (an administrator) and bob, a stand-in Cat with a chat page, and Catflap
// between them.
//
// The rule it guards: it shows the real thing. Catflap runs from a configuration
// file as it would anywhere, its addresses for browsers and the provider's differ
// in their host as they do in life, and the stand-in Cat passes the same contract
// suite as the real one. Only the provider is a toy: it asks for no password, so
// that everything listens on the loopback interface alone, and every key and
// secret is new at each start.
package demo
