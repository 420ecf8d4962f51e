package chat

import (
	"errors"
	"os"
	"sync"
	"time"
)

// errParked means that a reader has nothing to read and waits without a goroutine:
// it is started anew when there is.
var errParked = errors.New("parked")

// parker watches connections that say nothing, all in one goroutine, since a
// goroutine for each costs more than the connection itself. Where the system has no
// such means, nothing is ever parked.
type parker struct {
	// after is how long a reader waits in a goroutine for the next message; it is
	// parked between half of that and the whole.
	after time.Duration

	mu      sync.Mutex
	waiting map[uint64]func()
	serial  uint64
	watcher watcher
	closed  bool
}

// park has resume started in a goroutine when the connection has something to read,
// or is closed. False means that it can't be watched. After true the caller must
// not touch the input any more.
func (p *parker) park(in *input, resume func()) bool {
	p.mu.Lock()
	if p.closed || !p.watcher.open(p.woken) {
		p.mu.Unlock()
		return false
	}
	p.serial++
	id := p.serial
	if p.waiting == nil {
		p.waiting = map[uint64]func(){}
	}
	p.waiting[id] = resume
	in.parked.Store(id)
	p.mu.Unlock()
	if p.watcher.watch(in, id) {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, still := p.waiting[id]
	delete(p.waiting, id)
	return !still // whoever closed it has it resumed
}

// woken is told what has something to read.
func (p *parker) woken(id uint64) {
	p.mu.Lock()
	resume := p.waiting[id]
	delete(p.waiting, id)
	if len(p.waiting) == 0 {
		p.waiting = nil // a map never shrinks
	}
	p.mu.Unlock()
	if resume != nil {
		go resume()
	}
}

// close lets everybody go on in goroutines of their own, and stops watching.
func (p *parker) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for _, resume := range p.waiting {
		go resume()
	}
	p.waiting = nil
	p.watcher.close()
}

// rest parks the reader if it has been idle: when it is new, when nothing has come for
// a while, and after control frames that follow either.
func (in *input) rest(resume func()) bool {
	if in.woken || !in.idle || resume == nil || !in.rests() || len(in.got) > 0 || in.open {
		in.woken = false
		return false
	}
	if !in.until.IsZero() {
		in.setUntil(time.Time{})
	}
	in.woken, in.trying, in.each = true, nil, nil // whoever goes on finds it so, and reads
	if in.parker.park(in, resume) {
		return true
	}
	in.woken, in.restless = false, true
	return false
}

// rests reports whether the reader can be parked.
func (in *input) rests() bool { return in.raw != nil && in.parker != nil && !in.restless }

// restSoon has the next reading end when no message comes for a while. It is not done
// anew for each one, and not for control frames.
func (in *input) restSoon() {
	if !in.rests() || !in.fresh && !in.until.IsZero() {
		return
	}
	in.fresh = false
	if in.until.IsZero() || in.until.Sub(in.came) < in.parker.after/2 {
		in.setUntil(time.Now().Add(in.parker.after))
	}
}

func (in *input) setUntil(t time.Time) {
	in.until = t
	_ = in.conn.SetReadDeadline(t) // the reading finds out what is wrong
}

// rested reports whether a reading ended for the sake of rest, which is no error.
func (in *input) rested(err error) bool {
	if !in.rests() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	in.setUntil(time.Time{})
	return true
}

// close closes the connection, and lets its reader know if it is parked. It waits
// for a reader that is taking a message, so only the reader itself calls it.
func (in *input) close() {
	_ = in.conn.Close()
	if id := in.parked.Load(); id != 0 && in.parker != nil {
		in.parker.woken(id)
	}
}

// cut is close for everybody else: the other end is told at once, and nothing can be
// written any more, also while the reader is taking a message.
func (in *input) cut() {
	in.shut()
	go in.close()
}
