package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// spec is one load; it is handed to a process of its own.
type spec struct {
	Kind        loadKind
	Address     string        // of the contender
	Tokens      []string      // taken in turn
	Once        bool          // each token once at most
	Status      int           // that every answer must have
	Connections int           // side by side
	For         time.Duration // how long
	Bytes       int64         // of a body
	Flood       []string      // tokens of further connections beside, whose answers do not count
	FloodOn     int           // how many of them
}

type loadKind string

const (
	loadRequests loadKind = "requests" // short requests over keep-alive connections
	loadSockets  loadKind = "sockets"  // ping-pong over WebSockets
	loadDown     loadKind = "down"     // one large answer
	loadUp       loadKind = "up"       // one large body
	loadEvents   loadKind = "events"   // one stream of events
	loadIdle     loadKind = "idle"     // WebSockets that say nothing once they are open
	loadWaiting  loadKind = "waiting"  // streams of events in which nothing happens
)

// result is what a load saw.
type result struct {
	Count    int
	Elapsed  time.Duration
	P50, P99 time.Duration
	Error    string
}

// runLoad reads a spec and writes its result.
func runLoad(in io.Reader, out io.Writer) error {
	var s spec
	if err := json.NewDecoder(in).Decode(&s); err != nil {
		return err
	}
	r, err := s.run(func(open result) error {
		if err := json.NewEncoder(out).Encode(open); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, in)
		return err
	})
	if err != nil {
		r.Error = err.Error()
	}
	return json.NewEncoder(out).Encode(r)
}

// run takes a load. One that is held tells when all of it is open, and lasts until
// hold returns.
func (s spec) run(hold func(open result) error) (result, error) {
	switch s.Kind {
	case loadRequests:
		return s.requests()
	case loadSockets:
		return s.sockets()
	case loadDown, loadUp:
		return s.body()
	case loadEvents:
		return s.events()
	case loadIdle, loadWaiting:
		return s.idle(hold)
	}
	return result{}, fmt.Errorf("no load %q", s.Kind)
}

// summary makes a result of how long each exchange took.
func summary(took []time.Duration, elapsed time.Duration) result {
	return result{Count: len(took), Elapsed: elapsed, P50: percentile(took, .5), P99: percentile(took, .99)}
}
