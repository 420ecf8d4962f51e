package chat

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/internal/wsconn"
)

// closeMoved ends a way to the Cat and nothing else: there will be another.
var closeMoved = Closing{Code: websocket.CloseServiceRestart, Reason: "the socket at the Cat has moved"}

// againSoon is how long after a process could not be found, or had no socket, it is
// asked again.
const againSoon = 150 * time.Millisecond

var (
	errLostClaim = errors.New("chat: the claim was lost in the meantime")
	errNoClaim   = errors.New("chat: it has let go of all sockets, or somebody has just let go of this one")
	errNoAnswer  = errors.New("chat: the process that has the person does not answer")
)

// inTime is the error of somebody who has waited in vain: of why, if the time was up.
func inTime(end, why error) error {
	if why != nil && errors.Is(end, context.DeadlineExceeded) {
		return why
	}
	return end
}

func (h *Hub) releaseClaim(person, token string) {
	if token != "" && h.o.Fleet.Holds(token) { // else there is nothing left to release
		h.o.Fleet.Release(person, token)
	}
}

func pauseFor(ctx context.Context, d time.Duration) error {
	return wait.For(ctx, max(d, 10*time.Millisecond))
}

// ownerUpstream is a person's upstream where there are other processes before the same Cat: a
// catSocket while this one has claimed the person, and else a way through the one that has.
// When either ends, it looks for the next, and the clients stay.
type ownerUpstream struct {
	hub      *Hub
	person   *person
	room     *room
	finished chan struct{}
	stop     context.Context // ends with the upstream
	cancel   context.CancelFunc

	sending lock.Of[ownerSending] // held while one message goes on its way

	mu      lock.Of[ownerUpstream]
	user    *authhandlers.AuthUserInfo
	now     upstream // nil while there is none
	token   string   // of the claim, while it stands
	again   bool     // clients have been there since before this way
	spoken  bool     // the Cat has said something over this process's own socket
	late    bool     // a claim was lost, and somebody may have been disturbed by that
	closing *Closing
	kept    outbox
}

// openOwnerUpstream finds a person's first way to the Cat.
func openOwnerUpstream(ctx context.Context, p *person, j *Joining) (upstream, error) {
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
func (o *ownerUpstream) send(m inbound) (taken bool) {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	l := o.now
	o.mu.Unlock()
	if l != nil && !l.isEnding() && l.send(m) {
		return true
	}
	return o.keep(m) // for the next way
}

// keep keeps a message that no way has taken, unless there will be none. What is too much
// is told to its sender. Nothing overtakes it: it is called while one message is sent.
func (o *ownerUpstream) keep(m inbound) (taken bool) {
	o.mu.Lock()
	over := o.closing != nil
	ok := !over && o.kept.add(o.person, m, o.expire)
	o.mu.Unlock()
	if !ok && !over {
		o.room.failed(m, undelivered())
	}
	return !over
}

// withdraw takes out what a remote subscriber has said and no way has taken, and returns
// the least ref of it; 0 if there is none.
func (o *ownerUpstream) withdraw(from uint64) (least uint64) {
	o.mu.Lock()
	least = o.kept.withdraw(o.person, from)
	l, own := o.now.(*catSocket)
	o.mu.Unlock()
	if !own {
		return least
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.kept.withdraw(o.person, from), least) // what the socket keeps came before
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
		if !l.send(m) && !o.keep(m) {
			o.room.failed(m, undelivered())
		}
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

func (o *ownerUpstream) away(unread []*outbound) bool {
	l := o.way()
	return l != nil && l.away(unread)
}

func (o *ownerUpstream) handsOver() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing != nil && *o.closing == closeStopping
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

// reopen has the socket at the Cat opened again, by the process that has it.
func (o *ownerUpstream) reopen() {
	if l := o.way(); l != nil {
		l.reopen()
	}
}

// admit lets another process's clients into the room, if there is a socket of this
// process's.
func (o *ownerUpstream) admit(from string, p *clusterMessage) bool {
	r := o.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream != o {
		return false
	}
	o.mu.Lock()
	l, own := o.now.(*catSocket)
	missing := o.spoken && p.n&openAgain != 0
	own = own && o.closing == nil && o.token == string(p.data)
	o.mu.Unlock()
	if !own || l.isEnding() || !o.hub.o.Fleet.Holds(string(p.data)) {
		return false
	}
	if p.n&openLate != 0 {
		l.cut() // another's socket was closed after this one had opened: it may be silent now
	}
	g := newRemoteSubscriber(o.hub, o.person, from, p)
	o.hub.router.addSubscriber(g)
	g.owed = l.underWay(func(uint64) bool { return true })
	g.transmit(&clusterMessage{kind: messageOpened, n: g.owed})
	if r.add(g); missing { // it was said while they had no way to hear it
		r.tell(g, ours(missed()), nil)
	}
	return true
}

func (o *ownerUpstream) broadcast(m *outbound) {
	o.mu.Lock()
	o.spoken = true
	o.mu.Unlock()
	o.room.broadcast(m)
}

func (o *ownerUpstream) answered(m inbound) { o.room.answered(m) }

func (o *ownerUpstream) failed(m inbound, why []byte) { o.room.failed(m, why) }

// abandoned keeps the way, or looks for one, also while there is something to tell to
// the next who comes: that may be at another process, which does not know of it.
func (o *ownerUpstream) abandoned(upstream) bool {
	if o.isHolding() || o.room.hasMissed() || !o.room.abandoned(o) {
		return false
	}
	o.end(closeUnused)
	return true
}

// gone is told that a way has ended. Where there is no use in another, everybody
// hears of it.
func (o *ownerUpstream) gone(_ upstream, c Closing) {
	if c != closeMoved {
		o.end(c)
	}
}

// find waits until there is a way to the Cat, or the ctx ends. An error is a *ClaimError,
// a *DialError or, where it is the caller who waits no longer, ctx's.
func (o *ownerUpstream) find(ctx context.Context, dial func(context.Context) (*websocket.Conn, error)) error {
	var why error // there is none yet
	for {
		c, err := o.hub.o.Fleet.Claim(ctx, o.person.name)
		wait := c.Wait
		switch {
		case ctx.Err() != nil:
			if err == nil && c.Token != "" && c.Owner == "" {
				o.hub.releaseClaim(o.person.name, c.Token)
			}
			return inTime(ctx.Err(), why)
		case err != nil:
			return &ClaimError{err}
		case c.Token == "":
			why = &ClaimError{errNoClaim}
		case c.Owner == "":
			if err := o.dial(ctx, c.Token, dial); !errors.Is(err, errLostClaim) {
				return err
			}
			wait = againSoon
		default:
			if o.join(ctx, c) == nil {
				return nil
			}
			why, wait = &DialError{errNoAnswer}, againSoon
		}
		if err := pauseFor(ctx, wait); err != nil {
			return inTime(err, why)
		}
	}
}

// dial opens this process's own socket, under a claim.
func (o *ownerUpstream) dial(ctx context.Context, token string, dial func(context.Context) (*websocket.Conn, error)) error {
	p := o.person
	if err := pauseFor(ctx, p.unsettled()); err != nil {
		o.hub.releaseClaim(p.name, token)
		return err
	}
	conn, err := dial(ctx)
	if err != nil {
		p.markEnded() // the Cat may have seen it come and go
		o.hub.releaseClaim(p.name, token)
		return &DialError{err}
	}
	l := newCatSocket(p, o.room, conn)
	l.events, l.redial = o, o.redial
	o.mu.Lock()
	ok := o.closing == nil && o.hub.o.Fleet.Holds(token)
	if ok {
		o.now, o.token, o.late, o.spoken = l, token, false, false
	}
	o.mu.Unlock()
	p.joined(l)
	o.room.lowered() // before anything is said over it
	if !ok {
		p.left(l)
		l.conn.Stop() // at once: somebody else may be about to open one
		p.markEnded()
		o.hub.releaseClaim(p.name, token)
		return errLostClaim
	}
	return nil
}

// redial opens the socket again, while the claim stands.
func (o *ownerUpstream) redial(ctx context.Context) (*websocket.Conn, error) {
	o.mu.Lock()
	token := o.token
	o.mu.Unlock()
	if !o.hub.o.Fleet.Holds(token) {
		return nil, errLostClaim
	}
	return o.room.redial(ctx)
}

// join finds a way through the process that has the person.
func (o *ownerUpstream) join(ctx context.Context, c Claim) error {
	f := newRemoteUpstream(o, c.Owner)
	o.room.mu.Lock()
	most := o.room.level.most
	o.room.level.opened = most
	o.room.mu.Unlock()
	o.mu.Lock()
	how := lacking(most)
	if o.late {
		how |= openLate
	}
	if o.again {
		how |= openAgain
	}
	o.mu.Unlock()
	if err := f.open(ctx, c.Token, how); err != nil {
		return err
	}
	o.mu.Lock()
	ok := o.closing == nil
	if ok {
		o.now, o.late = f, false
	}
	o.mu.Unlock()
	if !ok {
		f.end(closeUnused)
		return errNoAnswer
	}
	o.room.lowered() // the other process was told of what was then
	return nil
}

// seek looks for the next way, for as long as clients wait for the Cat. It returns nil
// if there is none.
func (o *ownerUpstream) seek(before upstream) upstream {
	began := time.Now()
	f, ok := before.(*remoteUpstream)
	parted := ok && f.hasParted()
	o.mu.Lock()
	o.again = !parted
	o.mu.Unlock()
	if !parted && pauseFor(o.stop, againSoon) != nil { // a process that has just let go is still closing its own
		return nil
	}
	for {
		o.mu.Lock()
		late := o.late
		o.mu.Unlock()
		if !late && o.abandoned(nil) {
			return nil
		}
		left := o.hub.settings.Load().ReconnectFor - time.Since(began)
		if left <= 0 {
			o.expire()
			_ = pauseFor(o.stop, againSoon) // for the errors to reach them before the close does
			o.end(closeCatGone)
			return nil
		}
		ctx, cancel := context.WithTimeout(o.stop, min(left, dialWait))
		err := o.find(ctx, o.room.redial)
		cancel()
		l := o.way()
		if err == nil {
			o.hub.o.Observe(Event{Kind: EventMoved, User: o.user})
			return l
		}
		if o.stop.Err() != nil || pauseFor(o.stop, againSoon) != nil {
			return nil
		}
	}
}
