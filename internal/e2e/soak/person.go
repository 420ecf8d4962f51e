package soak

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// ending is how a message ended.
type ending uint8

const (
	pending ending = iota
	answered
	failed
	cut
)

// message is one of a person's. They are said one after another, so that an error
// frame, which names none, is that of the last one.
type message struct {
	at   time.Time
	took time.Duration
	end  ending
	seq  uint32
	also bool // an answer and an error frame
	by   *tab // that it was said by
	left bool // the tab left before its answer
}

// person keeps account of what one person has said, and of what each of their tabs
// has heard.
type person struct {
	token string
	work  *work

	mu       sync.Mutex
	messages []message // the first is number 1
	ended    chan struct{}
	tabs     []*tab // ever opened
	doubled  int
}

// begin notes that a message is about to be sent.
func (p *person) begin(by *tab) (text string, ended <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, message{at: time.Now(), by: by})
	p.ended = make(chan struct{})
	return strconv.Itoa(len(p.messages)), p.ended
}

// leftEarly notes that the tab leaves that has said the last message.
func (p *person) leftEarly() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages[len(p.messages)-1].left = true
}

// finish ends the last message. The person is locked.
func (p *person) finish(how ending) {
	m := &p.messages[len(p.messages)-1]
	m.end, m.took = how, time.Since(m.at)
	close(p.ended)
}

// hear takes an answer that a tab has heard.
func (p *person) hear(t *tab, f frame) {
	n, err := strconv.Atoi(f.Text)
	p.mu.Lock()
	defer p.mu.Unlock()
	t.heard = append(t.heard, f.Seq)
	if err != nil || n < 1 || n > len(p.messages) {
		p.doubled++ // of nothing that was said
		return
	}
	m := &p.messages[n-1]
	switch {
	case m.seq == f.Seq: // another tab hears it, too
		return
	case m.seq != 0:
		p.doubled++
		return
	}
	m.seq = f.Seq
	if m.end != pending {
		m.also = m.end == failed
		return
	}
	p.finish(answered)
}

// fail takes an error frame: the last message ends with it, unless it has ended. One that
// says that something was missed ends it, too: nobody waits on.
func (p *person) fail(t *tab, f frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.told = t.told || f.Name == "Missed"
	if f.Name == "Interrupted" {
		t.cut++
	}
	if n := len(p.messages); n > 0 && p.messages[n-1].end == pending {
		p.finish(failed)
	}
}

// cutOff ends the last message if it was said by a tab whose socket broke before it had
// ended.
func (p *person) cutOff(t *tab) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.messages); n > 0 && p.messages[n-1].by == t && p.messages[n-1].end == pending {
		p.finish(cut)
	}
}

// account adds the person up.
func (p *person) account(r *Report, took []time.Duration) []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Sent += len(p.messages)
	r.Doubled += p.doubled
	for i, m := range p.messages {
		switch m.end {
		case pending:
			r.Lost++
			r.LostAt = append(r.LostAt, Lost{m.at, m.by.conn.RemoteAddr().String(), m.left, slices.Index(p.work.people, p), i + 1})
		case answered:
			r.Answered++
			took = append(took, m.took)
		case failed:
			r.Failed++
		case cut:
			r.Cut++
		}
		if m.also {
			r.Contradicted++
		}
	}
	var all []uint32
	for _, t := range p.tabs {
		all = append(all, t.heard...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for _, t := range p.tabs {
		t.account(r, all)
	}
	return took
}
