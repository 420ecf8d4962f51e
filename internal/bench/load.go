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
	r, err := s.run()
	if err != nil {
		r.Error = err.Error()
	}
	return json.NewEncoder(out).Encode(r)
}

func (s spec) run() (result, error) {
	switch s.Kind {
	case loadRequests:
		return s.requests()
	case loadSockets:
		return s.sockets()
	case loadDown, loadUp:
		return s.body()
	case loadEvents:
		return s.events()
	}
	return result{}, fmt.Errorf("no load %q", s.Kind)
}

// summary makes a result of how long each exchange took.
func summary(took []time.Duration, elapsed time.Duration) result {
	return result{Count: len(took), Elapsed: elapsed, P50: percentile(took, .5), P99: percentile(took, .99)}
}
