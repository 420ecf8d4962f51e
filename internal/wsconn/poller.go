package wsconn

import (
	"errors"
	"sync"
	"time"
)

// errParked means that a reader has nothing to read and waits without a goroutine:
// it is started again when there is.
var errParked = errors.New("parked")

// Poller watches connections that say nothing, all in one goroutine, since a
// goroutine for each costs more than the connection itself. Where the system has no
// such means, nothing is ever parked.
type Poller struct {
	// After is how long a reader waits in a goroutine for the next message; it is
	// parked between half of that and the whole. It is set before the first connection.
	After time.Duration

	buffers sync.Pool // lent to readers and writers

	mu      sync.Mutex
	waiting map[uint64]func()
	serial  uint64
	watcher watcher
	closed  bool
}

// NewPoller makes a Poller. It runs nothing while no connection is parked.
func NewPoller(after time.Duration) *Poller {
	p := &Poller{After: after}
	p.buffers.New = func() any { b := make([]byte, bufferSize); return &b }
	return p
}

// Parked returns how many connections wait without a goroutine, and how many times one
// was parked since the Poller was made.
func (p *Poller) Parked() (now int, ever uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting), p.serial
}

// park has resume started in a goroutine when the connection has something to read,
// or is closed. False means that it can't be watched. After true the caller must
// not touch the reader any more.
func (p *Poller) park(r *reader, resume func()) bool {
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
	r.parked.Store(id)
	p.mu.Unlock()
	if p.watcher.watch(r, id) {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, still := p.waiting[id]
	delete(p.waiting, id)
	return !still // the one who closed it has it resumed
}

// woken is told what has something to read.
func (p *Poller) woken(id uint64) {
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

// Close lets every reader go on in goroutines of their own, and stops watching.
func (p *Poller) Close() {
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
