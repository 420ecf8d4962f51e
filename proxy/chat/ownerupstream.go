package chat

import (
	"context"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/wsconn"
)

// closeMoved ends a way to the Cat and nothing else: there will be another.
var closeMoved = Closing{Code: websocket.CloseServiceRestart, Reason: "the socket at the Cat has moved"}

// ownerUpstream is a person's upstream where there are other processes before the same Cat: a
// wire while this one has claimed the person, and else a way through the one that has.
// When either ends, it looks for the next, and the clients stay.
type ownerUpstream struct {
	hub      *Hub
	person   *person
	room     *room
	finished chan struct{}
	stop     context.Context // ends with the upstream
	cancel   context.CancelFunc

	sending sync.Mutex // held while one message goes on its way

	mu      sync.Mutex
	user    *authhandlers.AuthUserInfo
	now     upstream // nil while there is none
	token   string   // of the claim, while it stands
	again   bool     // clients have been there since before this way
	spoken  bool     // the Cat has said something over this process's own socket
	late    bool     // a claim was lost, and somebody may have been disturbed by that
	closing *Closing
	kept    outbox
}

// openRoute finds a person's first way to the Cat.
func openRoute(ctx context.Context, p *person, j *Joining) (upstream, error) {
	o := &ownerUpstream{hub: p.hub, person: p, room: &p.room, finished: make(chan struct{}), user: j.User}
	o.stop, o.cancel = context.WithCancel(context.Background())
	p.joined(o)
	ctx, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	if err := o.find(ctx, j.Dial); err != nil {
		o.cancel()
		p.left(o)
		close(o.finished)
		return nil, err
	}
	return o, nil
}

func (o *ownerUpstream) start(u *authhandlers.AuthUserInfo) {
	o.hub.idle.Add(1)
	l := o.way()
	go o.run(l, u)
}

// run follows one way after another.
func (o *ownerUpstream) run(l upstream, u *authhandlers.AuthUserInfo) {
	defer o.hub.o.Caught()
	defer o.finish()
	for {
		l.start(u)
		o.replay(l)
		o.room.handOver(o)
		<-l.done()
		if !o.next(l) {
			return
		}
		if l = o.seek(l); l == nil {
			return
		}
	}
}

// next lets go of a way that is over, and reports whether another is looked for.
func (o *ownerUpstream) next(l upstream) bool {
	o.mu.Lock()
	o.now = nil
	token := o.token
	o.token = ""
	o.mu.Unlock()
	if _, own := l.(*catSocket); own {
		o.room.redirectRemotes()
		o.hub.releaseClaim(o.person.name, token)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing == nil
}

// finish follows the end, also one by a panic.
func (o *ownerUpstream) finish() {
	o.end(wsconn.ClosingFault) // in most cases it was ended
	o.mu.Lock()
	l, token := o.now, o.token
	o.now, o.token = nil, ""
	o.mu.Unlock()
	if l != nil {
		<-l.done()
	}
	if token != "" {
		o.hub.releaseClaim(o.person.name, token)
	}
	o.expire()
	o.person.left(o)
	close(o.finished)
	o.hub.idle.Done()
}

// send passes a message on, or keeps it for a while when there is no way.
func (o *ownerUpstream) send(m inbound) {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	l := o.now
	if l != nil && l.isEnding() {
		l = nil // the next will take it
	}
	ok := o.closing == nil && (l != nil || o.kept.add(o.person, m, o.expire))
	o.mu.Unlock()
	switch {
	case !ok:
		o.room.failed(m, undelivered())
	case l != nil:
		l.send(m)
	}
}

// keep keeps a message that a way has not taken, which is over. It is called by say.
func (o *ownerUpstream) keep(m inbound) {
	o.mu.Lock()
	ok := o.closing == nil && o.kept.add(o.person, m, o.expire)
	o.mu.Unlock()
	if !ok {
		o.room.failed(m, undelivered())
	}
}

// keepFirst keeps what was said before all that is kept.
func (o *ownerUpstream) keepFirst(list []inbound) {
	o.mu.Lock()
	later := o.kept.take(o.person)
	var failed []inbound
	for _, m := range append(list, later...) {
		if o.closing != nil || !o.kept.add(o.person, m, o.expire) {
			failed = append(failed, m)
		}
	}
	o.mu.Unlock()
	for _, m := range failed {
		o.room.failed(m, undelivered())
	}
}

// replay says what was kept.
func (o *ownerUpstream) replay(l upstream) {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	list := o.kept.take(o.person)
	o.now = l // from here on nothing is kept, and nothing overtakes
	o.mu.Unlock()
	for _, m := range list {
		l.send(m)
	}
}

// expire tells the senders of what was kept that it was not delivered.
func (o *ownerUpstream) expire() {
	o.mu.Lock()
	list := o.kept.take(o.person)
	o.mu.Unlock()
	for _, m := range list {
		o.room.failed(m, undelivered())
	}
}

// busy is also an ownerUpstream that looks for its next way: only then can it tell what was missed.
func (o *ownerUpstream) busy() bool {
	l := o.way()
	return o.isHolding() || l == nil || l.busy()
}

func (o *ownerUpstream) end(c Closing) {
	o.mu.Lock()
	if o.closing != nil {
		o.mu.Unlock()
		return
	}
	o.closing = &c
	l := o.now
	o.mu.Unlock()
	o.cancel()
	if l != nil {
		l.end(Closing{Code: websocket.CloseNormalClosure, Reason: c.Reason})
	}
	if c.Code != websocket.CloseNormalClosure {
		o.room.gone(o, c)
	}
}

func (o *ownerUpstream) isEnding() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing != nil
}

func (o *ownerUpstream) done() <-chan struct{} { return o.finished }

func (o *ownerUpstream) abort() {
	o.cancel()
	l := o.way()
	if l != nil {
		l.abort()
	}
}

// away tells whoever has the Cat that the last client has left, and what it has not
// read. False means that it is this process that has it. The room is locked.
func (o *ownerUpstream) away(rest []*outbound) bool {
	f, ok := o.way().(*remoteUpstream)
	return ok && f.bye(rest)
}

func (o *ownerUpstream) isFar() bool {
	_, ok := o.way().(*remoteUpstream)
	return ok
}

// way is the way that there is now, or nil.
func (o *ownerUpstream) way() upstream {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

// isHolding reports whether a message waits for a way.
func (o *ownerUpstream) isHolding() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.kept.list) > 0
}

// lose cuts the socket at the Cat, since the claim to it stands no more.
func (o *ownerUpstream) lose(late bool) {
	o.mu.Lock()
	l, own := o.now.(*catSocket)
	o.late = o.late || late
	o.mu.Unlock()
	if own {
		l.end(closeMoved)
		l.abort()
	}
}
