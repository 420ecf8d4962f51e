// Package demo is the whole product on one machine: a token issuer with alice (an
// administrator) and bob, a stand-in Cat, and Catflap between them, with a page
// on which both can be tried side by side.
//
// The rule it guards: it shows the real thing. Catflap runs from a configuration
// file as it would anywhere, and the stand-in Cat passes the same contract suite
// as the real one. Only the issuer is a toy: it gives a token to whoever asks, so
// that everything listens on the loopback interface alone, and every key and
// secret is made anew at each start.
package demo
