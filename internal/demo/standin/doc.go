// Package standin is a stand-in for a Cheshire Cat 1.9.2: the same wire, no model.
//
// The rule it guards: what Catflap is tested against behaves as the real Cat was
// measured to behave, its faults included. One API key is full power and the
// user id is whatever the header says; a socket opened beside another one, or
// right after it, is silent, and so is one that was there when an earlier one's
// turn ended; a 500 ends the connection unannounced. A kinder
// stand-in would let the proxy pass tests that the real Cat fails. The suite in
// proxy/cat/cattest holds the two together: it runs against this package and,
// given an address, against a real Cat.
//
// [New] makes a Cat, which is an [net/http.Handler]; [Start] serves one on the
// loopback interface the way the real server does. What arrived can be asked for
// afterwards: [Cat.Requests], [Cat.Sockets], [Cat.History].
//
// Its admin panel is a small one that does with its credential what the real one
// was seen to do: it reads ccat_user_token in the page, sends it in three places,
// calls everybody "user", and shows messages as HTML.
//
// Differences that Go's server makes: a malformed percent escape, a NUL or a
// control character in a header are refused by it before this package sees them.
package standin
