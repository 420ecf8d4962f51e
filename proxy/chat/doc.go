// Package chat carries live WebSockets between people and their Cat.
//
// The rule it guards: a person has one socket at the Cat, and nothing that is said
// over it is lost in silence or said twice; and each client's socket ends when its
// own access ends, with a close code and a reason that a browser can read. The Cat
// keeps one socket per user id: a second one takes the first one's replies, closing
// either silences the other for good, and one that opens within milliseconds of
// another's close may never speak.
//
// So a person's clients share a room with one upstream to the Cat. What the Cat says goes
// into the log of the room (roomLog), where each message has the next number. A message
// stays there until each subscriber has read it: a client reads it when it was written to
// it; another Catflap says how far its clients are. A newcomer begins behind the last
// number that anybody has read, so that it is given the messages that nobody has. A page
// that goes away counts as having read what it was written more than 250 ms before. What is
// for one subscriber alone waits with its reader, and has no number. What clients say goes
// up whole, one after another. The upstream outlives a reload of the page and a restart of
// the Cat. Where each client is to have a socket of its own at the Cat, messages stream
// through instead (tunnel), and a slow reader slows the writer.
//
// Each message in memory is counted with its person, who has a share of what all may
// hold: nobody loses an answer over what somebody else holds.
//
// The goroutines: one for each connection that has something to say (an idle one is parked
// and has none), one for each client that is being written to and has not taken the message
// at once, one for each message of another Catflap's that is passed on, and timers. The
// locks and their order stand in lockorder.go. A goroutine waits for a client or for the
// Cat only without a lock but ownerSending and catSending, which hold one message on its
// way.
//
// The names: a client is a client's place in the hub, in either mode; an upstream is a
// person's way to the Cat, and a catSocket is an upstream of this process's own.
package chat
