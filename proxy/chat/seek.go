package chat

import (
	"context"
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wait"
)

// againSoon is how long after a process could not be found, or had no socket, it is
// asked anew.
const againSoon = 150 * time.Millisecond

var (
	errLostClaim = errors.New("chat: the claim was lost meanwhile")
	errNoClaim   = errors.New("chat: it has let go of all sockets, or somebody has just let go of this one")
	errNoAnswer  = errors.New("chat: the process that has the person does not answer")
)

// find waits until there is a way to the Cat, or the ctx ends. An error is a *ClaimError,
// a *DialError or, where it is the caller who waits no longer, ctx's.
func (o *route) find(ctx context.Context, dial func(context.Context) (*websocket.Conn, error)) error {
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

// dial opens this process's own socket, under a claim.
func (o *route) dial(ctx context.Context, token string, dial func(context.Context) (*websocket.Conn, error)) error {
	p := o.person
	if err := pauseFor(ctx, p.unsettled()); err != nil {
		o.hub.releaseClaim(p.name, token)
		return err
	}
	conn, err := dial(ctx)
	if err != nil {
		p.rest() // the Cat may have seen it come and go
		o.hub.releaseClaim(p.name, token)
		return &DialError{err}
	}
	l := newWire(p, o.room, conn)
	l.room, l.redial = o, o.redial
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
		l.peer.stop() // at once: somebody else may be about to open one
		p.rest()
		o.hub.releaseClaim(p.name, token)
		return errLostClaim
	}
	return nil
}

// redial opens the socket again, while the claim stands.
func (o *route) redial(ctx context.Context) (*websocket.Conn, error) {
	o.mu.Lock()
	token := o.token
	o.mu.Unlock()
	if !o.hub.o.Fleet.Holds(token) {
		return nil, errLostClaim
	}
	return o.room.redial(ctx)
}

// join finds a way through the process that has the person.
func (o *route) join(ctx context.Context, c Claim) error {
	f := newFar(o, c.Owner)
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
func (o *route) seek(before line) line {
	began := time.Now()
	f, ok := before.(*far)
	parted := ok && f.hasParted()
	o.mu.Lock()
	o.again = !parted
	o.mu.Unlock()
	if !parted && pauseFor(o.stop, againSoon) != nil { // whoever has just let go is still closing theirs
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
