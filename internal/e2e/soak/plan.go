package soak

import (
	"fmt"
	"slices"
	"time"
)

// Plan is what a soak does.
type Plan struct {
	Addresses []string // of the Catflaps; sockets are spread over them
	Tokens    []string // one for each person
	Idle      int      // tabs that only listen, spread over all people but the solitary
	Busy      int      // people who talk
	Solitary  int      // of those, so many have no other tab
	Pace      time.Duration
	Churn     int           // idle tabs that leave and come back, in a second
	For       time.Duration // how long the busy talk
	Patience  time.Duration // a message that has not ended by then is lost
}

// Report is what a soak saw.
type Report struct {
	Sent, Answered, Failed int            // messages, and how they ended
	Cut                    int            // messages whose own socket broke first
	Lost                   int            // messages that have not ended: silently lost
	Doubled                int            // answers that came twice
	Disordered             int            // answers out of their order at a tab
	Missing                int            // answers that a tab did not hear, and another did
	Contradicted           int            // messages with an error frame and an answer
	Opened, Refused        int            // tabs
	Closed                 map[string]int // tabs that were ended from the other side, by the reason
	Elapsed                time.Duration
	P50, P99               time.Duration // from a message to its answer
}

// Faults lists what must not be. With kills a tab may be cut.
func (r Report) Faults(kills bool) []string {
	var list []string
	for what, n := range map[string]int{
		"messages were lost silently": r.Lost, "answers were doubled": r.Doubled,
		"answers came out of order": r.Disordered, "answers were not heard by every tab": r.Missing,
	} {
		if n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, what))
		}
	}
	if !kills {
		for why, n := range r.Closed {
			list = append(list, fmt.Sprintf("%d tabs were closed: %s", n, why))
		}
	}
	if r.Answered == 0 {
		list = append(list, "nothing was answered")
	}
	slices.Sort(list)
	return list
}

// String is the report for people.
func (r Report) String() string {
	return fmt.Sprintf("%d messages in %v (%.0f a second): %d answered, %d ended with an error frame, %d cut off with their socket, %d lost silently, %d doubled\n"+
		"answers out of order %d, not heard by every tab %d, after an error frame %d\n"+
		"from message to answer: p50 %v, p99 %v\n"+
		"tabs: %d opened, %d refused for a moment, ended from the other side: %v",
		r.Sent, r.Elapsed.Round(time.Second), float64(r.Sent)/max(r.Elapsed.Seconds(), 1), r.Answered, r.Failed, r.Cut, r.Lost, r.Doubled,
		r.Disordered, r.Missing, r.Contradicted,
		r.P50.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), r.Opened, r.Refused, r.Closed)
}
