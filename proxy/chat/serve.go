package chat

import "time"

// serve has each message taken, until an error. Each must be read to its end, unless
// there is one. With errParked the input is no longer the caller's; resume goes on.
func (in *input) serve(each func(kind int) error, resume func()) error {
	for {
		if in.rest(resume) {
			return errParked
		}
		in.parked.Store(0)
		in.each = each
		if err := in.takeNext(); err != nil {
			in.each = nil // whoever reads on wants nothing of it
			return err
		}
	}
}

// takeNext has the next message taken, or deals with a control frame, or silence.
func (in *input) takeNext() error {
	kind, err := in.next()
	if err == nil && kind != 0 {
		err = in.each(kind)
	}
	return err
}

// arrived is told what has been read between two messages, while the connection is
// still held for reading. What has come whole is taken at once; if that was all there
// was, it is false: the connection says when there is more, and to ask it once for
// nothing would cost a twentieth of the whole. An end that came together with the last
// message it does not say; that is found when the reader rests.
func (in *input) arrived(n int) (done bool) {
	all := n == len(*in.buf)
	in.got = (*in.buf)[:n]
	in.came, in.news = time.Now(), true
	if in.each == nil || in.part || !in.rests() {
		return true
	}
	for in.hasFrame() {
		if in.err = in.takeNext(); in.err != nil {
			return true
		}
	}
	switch {
	case all || len(in.got) > 0 || !in.rests():
		return true
	case in.idle: // it was a control frame that broke the rest
		in.err = errSilent
		return true
	}
	in.giveBack()
	in.restSoon()
	return false
}
