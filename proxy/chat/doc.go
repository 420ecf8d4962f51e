// Package chat carries live WebSockets between people and their Cat.
//
// The rule it guards: a person has one socket at the Cat, and nothing that is said
// over it is lost in silence or said twice; and each client's socket ends when its
// own access ends, with a close code and a reason that a browser can read. The Cat
// keeps one socket per user id: a second one takes the first one's replies, closing
// either silences the other for good, and one that opens within milliseconds of
// another's close may never speak.
//
// So a person's clients (subscribers) share a room with one upstream to the Cat. What the
// Cat says reaches all of them in the same order, within bounds on what waits for
// whom; what they say goes up whole, one after another. The upstream outlives a reload
// of the page and a restart of the Cat. Where each client is to have a socket of its
// own at the Cat, messages stream through instead, and a slow reader slows the
// writer.
//
// Each message in memory is counted with its person, who has a share of what all may
// hold: nobody loses an answer over what somebody else holds.
//
// The names: a client is a client's place in the hub, in either mode; an upstream is a
// person's way to the Cat, and a catSocket is an upstream of this process's own.
package chat
