package chat

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/attributes"
)

// subscriber is one client of a shared session: a tab, or a device.
type subscriber struct {
	client
	conn   *wsconn.Conn      // set when it is open
	remote *remoteSubscriber // set for another process's clients, in place of conn
	page   bool              // it is a browser's page

	maxBytes int64
	maxCount int

	mu      sync.Mutex
	cancel  context.CancelCauseFunc // ends the waiting before it is open
	closing *Closing                // why it was ended from here, if it was
	isOpen  bool
	queue   []*outbound
	first   [1]*outbound // has room for a queue of one, which most are
	bytes   int64
	writing bool          // the first of the queue is on its way
	left    []byte        // of it, when that has begun and had to wait; the writer's own
	broken  bool          // nothing more can be written
	quiet   chan struct{} // closed when what is on its way has been written, or not
	waited  time.Duration // by others for this client, since it had taken everything
	stuck   time.Duration // of that, since it has taken anything
	gone    bool
	latest  lately // what it was written in the last moments
}

// open joins the person's room, and then opens the client's side.
func (w *subscriber) open(ctx context.Context, j *Joining) error {
	r := &w.person.room
	if err := r.enter(ctx, w, j); err != nil {
		return err
	}
	ws, err := j.Upgrade()
	if err != nil {
		r.leave(w, w.empty())
		return &UpgradeError{err}
	}
	w.conn = wsconn.New(ws, w.hub.poller, wsconn.Options{
		Role: wsconn.Server, Peer: theClient, MaxMessage: w.limit, MessageTimeout: w.within, Ping: w.ping, WriteTimeout: w.hub.times.stall,
	})
	return nil
}

func (w *subscriber) serve() {
	w.opened()
	w.hub.served(&w.client)
	w.mu.Lock()
	w.isOpen, w.cancel = true, nil
	early := w.closing
	w.writeSoon()
	w.mu.Unlock()
	if early != nil {
		w.conn.End(*early) // ended while its handshake was under way
	}
	go w.run()
}

func (w *subscriber) run() {
	defer w.hub.o.Caught()
	parked := false
	defer func() {
		if !parked {
			w.leave()
		}
	}()
	_, parked = w.conn.Receive(w.onMessage, w.run)
}

// leave follows the end, also one by a panic.
func (w *subscriber) leave() {
	defer w.hub.release(&w.client)
	w.conn.Stop()
	rest := w.empty()
	w.person.room.leave(w, append(w.unheard(), rest...))
	how, _ := w.conn.Ending()
	w.closed(how)
}

// onMessage takes a message of the client's.
func (w *subscriber) onMessage(kind int) error {
	if w.conn.IsEnding() {
		return w.conn.Discard()
	}
	if ok, keeps := w.rate.Take(w.conn.CameAt()); !ok {
		w.hub.o.Observe(Event{Kind: EventRefused, User: w.user.Load(), ID: w.id, Client: w.addr})
		if !keeps {
			return &EndedError{closeTooFast}
		}
		w.enqueue(ours(tooFast()))
		return w.conn.Discard()
	}
	token, err := w.attributes()
	if err != nil {
		return err
	}
	data, held, err := w.person.read(w.conn, toCat, kind, attributes.Room(token))
	defer func() { w.person.drop(held) }()
	if err != nil {
		return err
	}
	if isTokenFrame(data) {
		return w.present(data)
	}
	if data, err = w.attributed(data, token); errors.Is(err, attributes.ErrNotObject) {
		w.enqueue(ours(notAnObject()))
		return nil
	} else if err != nil {
		return err
	}
	w.towards[toCat].messages.Add(1)
	w.towards[toCat].bytes.Add(int64(len(data)))
	w.person.room.send(inbound{from: w.n, kind: kind, data: data})
	return nil
}

// present deals with a token frame.
func (w *subscriber) present(frame []byte) error {
	if len(frame) > maxTokenFrame {
		return &EndedError{closeBadToken}
	}
	answer, closing := w.reauthenticate(frame)
	if closing != nil {
		return &EndedError{*closing}
	}
	w.enqueue(ours(answer))
	return nil
}

// end closes the client's side from here. The first reason counts.
func (w *subscriber) end(c Closing) {
	w.mu.Lock()
	if w.closing != nil || w.gone {
		w.mu.Unlock()
		return
	}
	w.closing = &c
	cancel, open := w.cancel, w.isOpen
	w.mu.Unlock()
	switch {
	case w.remote != nil:
		w.remote.end(c)
	case open:
		w.conn.End(c)
	case cancel != nil:
		cancel(joinError(c))
	}
}

func (w *subscriber) abort() {
	w.mu.Lock()
	open := w.isOpen
	w.mu.Unlock()
	if open {
		w.conn.Cut()
	}
}
