package chat

import (
	"time"

	"github.com/catflap/catflap/internal/wsconn"
)

// Mode says how a person's sockets share the Cat.
type Mode uint8

// The modes.
const (
	Shared   Mode = iota // one socket at the Cat for each person
	Separate             // one socket at the Cat for each client socket
)

// Settings can change while sockets are open; they hold for those that open next.
type Settings struct {
	Mode       Mode
	Ping       time.Duration // between pings to either side
	MaxMessage int64         // bytes of a message to the Cat; 0 means any size
	MaxSockets int           // in all; 0 means any number
	MaxPerUser int           // 0 means any number
	// MessageRate is how many messages a client may send in a second; 0 means any
	// number. It may be ahead by burst seconds.
	MessageRate int

	MaxTurns       int           // under way at one Cat, with Shared; 0 means any number
	MaxHeld        int64         // bytes of messages in memory, in all; 0 means any number
	MaxHeldPerUser int64         // of one person; 0 means any number
	MessageTimeout time.Duration // for a message to come whole that is read, see wsconn.Options; 0 means any time

	// With Shared alone:

	Linger       time.Duration // how long the Cat's socket stays when nobody is left
	ReconnectFor time.Duration // how long clients wait for a Cat that has gone
	// DeliverWithin is how long a message waits likewise; ReconnectFor ends that, too.
	DeliverWithin time.Duration
	MaxReply      int64 // bytes of a message of the Cat; 0 means any size
	MaxQueue      int64 // bytes that wait for one client; one message may be larger
	MaxQueued     int   // messages that wait for one client
}

// The bounds that hold where the settings name none.
const (
	defaultQueue         = 4 << 20
	defaultQueued        = 1000
	defaultDeliverWithin = 45 * time.Second
)

// deliverWithin returns how long a message waits for a Cat that has gone.
func (s *Settings) deliverWithin() time.Duration {
	if s.DeliverWithin <= 0 {
		return defaultDeliverWithin
	}
	return s.DeliverWithin
}

// queue returns the bounds of what waits for one client, or for nobody yet.
func (s *Settings) queue() (bytes int64, messages int) {
	bytes, messages = s.MaxQueue, s.MaxQueued
	if bytes <= 0 {
		bytes = defaultQueue
	}
	if messages <= 0 {
		messages = defaultQueued
	}
	return bytes, messages
}

// parkAfter is how long a reader waits in a goroutine for the next message. Words of an
// answer follow each other faster; between what people say is more.
const parkAfter = 250 * time.Millisecond

// times are what the hub waits for. Tests shorten them.
type times struct {
	stall      time.Duration // a piece of a message may take this long to be written
	grace      time.Duration // others wait this long for a client that is behind, in all
	turn       time.Duration // an answer is waited for this long
	steady     time.Duration // a socket at the Cat that lived this long was no flash in the pan
	maxBackoff time.Duration // between two tries to reach the Cat
	// patience is how long a message waits for answers that an earlier socket left
	// behind; a quarter of it, where that was another process's.
	patience time.Duration
	// silence is how long a socket in doubt may say nothing while it owes an answer.
	silence time.Duration
}

// toWrite is how long n bytes may take to be written.
func (t *times) toWrite(n int64) time.Duration {
	return t.stall + time.Duration(n/wsconn.Slowest)*time.Second
}

func defaultTimes() times {
	return times{stall: time.Minute, grace: time.Second, turn: 10 * time.Minute, steady: 5 * time.Second, maxBackoff: 5 * time.Second, patience: 4 * time.Second, silence: 5 * time.Second}
}
