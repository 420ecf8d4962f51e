// Package chat carries live WebSockets between people and their Cat.
//
// The rule it guards: a person's socket at the Cat is theirs alone, there are
// never two of them at once, and it ends when their access ends, with a close code
// and a reason that a browser can read. The Cat keeps one socket per user id: a
// second one takes the first one's replies, closing either silences the other for
// good, and one that opens within milliseconds of another's close may never
// speak. So a person's sockets take turns here, by decision and not by accident.
//
// Messages stream through: nothing is held but the piece that is on its way, and
// a reader that is slow slows the writer.
package chat
