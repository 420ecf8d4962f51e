package chat

import (
	"errors"
	"os"
	"time"
)

// errLate means that a message did not come whole in time.
var errLate = errors.New("a message was not whole in time")

// toCome is how long a message may take to come of which n bytes have come: its time
// without any, and a second for as much as the slowest link brings in one. The clock
// runs from the first reading that finds it incomplete.
func toCome(within time.Duration, n int64) time.Duration {
	return within + time.Duration(n)*time.Second/slowest
}

// dueSoon has the next reading end when the message that has begun is late. It is
// asked before each reading in the middle of one, and looks at the clock once.
func (in *input) dueSoon() {
	if in.within <= 0 {
		return
	}
	if in.began.IsZero() {
		in.began = time.Now()
	}
	if !in.bounded {
		in.bounded = true
		in.setUntil(in.began.Add(toCome(in.within, in.had())))
	}
}

// had is how much of the message has come.
func (in *input) had() int64 { return in.length - in.left }

// lateOr makes the end of a reading what it is: of a message that is late, or silence
// that is no error, also where more of a message has come than when its time was set.
func (in *input) lateOr(err error) error {
	switch {
	case in.bounded && errors.Is(err, os.ErrDeadlineExceeded):
		in.bounded = false
		if time.Since(in.began) >= toCome(in.within, in.had()) {
			return errLate
		}
		return errSilent
	case in.rested(err):
		return errSilent
	}
	return err
}

// wholeNow lets a reading last again, after a message that had to be waited for.
func (in *input) wholeNow() {
	if in.bounded {
		in.bounded = false
		in.setUntil(time.Time{})
	}
	in.began = time.Time{}
}

// pause stops the clock while what has come is passed on; goOn is given what it returns.
func (in *input) pause() (since time.Time) {
	if !in.began.IsZero() {
		since = time.Now()
	}
	return since
}

func (in *input) goOn(since time.Time) {
	if !since.IsZero() {
		in.began = in.began.Add(time.Since(since))
	}
}
