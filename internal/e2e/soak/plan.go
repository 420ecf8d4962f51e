package soak

import (
	"fmt"
	"slices"
	"strings"
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
	Return    time.Duration // within this an idle tab opens again when it was ended from the other side
	For       time.Duration // how long the busy talk
	Patience  time.Duration // a message that has not ended by then is lost
}

// Report is what a soak saw.
type Report struct {
	Sent, Answered, Failed int            // messages, and how they ended
	Cut                    int            // messages whose own socket broke first
	Lost                   int            // messages that have not ended: silently lost
	LostAt                 []Lost         // which those are
	Doubled                int            // answers that came twice
	Disordered             int            // answers out of their order at a tab
	Missing                int            // answers that a tab did not hear, and another did
	Contradicted           int            // messages with an error frame and an answer
	Opened, Refused        int            // tabs
	Closed                 map[string]int // tabs that were ended from the other side, by the reason
	Elapsed                time.Duration
	P50, P99               time.Duration // from a message to its answer
}

// Lost is a message of which nobody was told what became of it.
type Lost struct {
	At   time.Time
	By   string // the address of the Catflap that it was said to
	Left bool   // whether its tab left before an answer had come
	Who  int    // the place of the person's token
	N    int    // which of the person's messages it is
}

// dying is how long a Catflap that is about to be killed may still hear something, and
// owing how long before its end it may have been given a message that it still owes an
// answer to: where the socket at the Cat was replaced, it waits that long for the answer.
const (
	dying = 200 * time.Millisecond
	owing = 6 * time.Second
)

// Faults lists what must not be. At a kill tabs are cut, and a few messages may be lost
// that were said before it by a page which had left before it was answered, or an answer
// be heard by the killed process's own tabs alone: what nobody but that process knew of.
func (r Report) Faults(kills []time.Time) []string {
	var list []string
	orphans := 0
	for _, lost := range r.LostAt {
		if lost.Left && slices.ContainsFunc(kills, func(kill time.Time) bool {
			return lost.At.After(kill.Add(-owing)) && lost.At.Before(kill.Add(dying))
		}) {
			orphans++
		}
	}
	missing := r.Missing
	if alone := orphans + missing; len(kills) > 0 && alone*2000 <= r.Sent {
		missing = 0
	} else if orphans > 0 {
		list = append(list, fmt.Sprintf("%d messages of pages that had left were lost at a kill", orphans))
	}
	for what, n := range map[string]int{
		"messages were lost silently": r.Lost - orphans, "answers were doubled": r.Doubled,
		"answers came out of order": r.Disordered, "answers were not heard by every tab": missing,
	} {
		if n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, what))
		}
	}
	for why, n := range r.Closed {
		if len(kills) == 0 || !broken(why) {
			list = append(list, fmt.Sprintf("%d tabs were closed: %s", n, why))
		}
	}
	if r.Answered == 0 {
		list = append(list, "nothing was answered")
	}
	slices.Sort(list)
	return list
}

// broken reports whether a tab was ended by the end of a process.
func broken(why string) bool {
	return strings.Contains(why, "close 1006") || strings.Contains(why, "connection reset") || strings.Contains(why, "broken pipe")
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
