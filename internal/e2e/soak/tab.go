package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// tab is one socket of a person's.
type tab struct {
	person *person
	conn   *websocket.Conn
	over   chan struct{}
	broke  bool // it ended without a close; set when over is closed
	idle   bool // it only listens, and comes back when it is ended

	// Guarded by the person:
	heard   []uint32
	leaving bool // it was closed from here
	stayed  bool // it was open to the end
	told    bool // that it may not have heard all
	cut     int  // how often it was told that an answer under way may be lost
}

// open opens a tab, and tries again while it is refused: a Cat may be away.
func (p *person) open(ctx context.Context, idle bool) (*tab, error) {
	d := websocket.Dialer{HandshakeTimeout: 20 * time.Second, ReadBufferSize: 512, WriteBufferSize: 512}
	for {
		c, resp, err := d.DialContext(ctx, "ws://"+p.work.address()+"/ws", http.Header{"Authorization": {"Bearer " + p.token}})
		if resp != nil {
			_ = resp.Body.Close()
		}
		if err == nil {
			t := &tab{person: p, conn: c, over: make(chan struct{}), idle: idle}
			p.mu.Lock()
			p.tabs = append(p.tabs, t)
			p.mu.Unlock()
			p.work.opened.Add(1)
			go t.listen()
			return t, nil
		}
		// All tabs come from one address, whose share of requests is full for a moment
		// when a Catflap comes back.
		if resp != nil && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
			return nil, fmt.Errorf("a handshake was answered %d: %w", resp.StatusCode, err)
		}
		p.work.refused.Add(1)
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (t *tab) listen() {
	defer close(t.over)
	defer t.conn.Close()
	for {
		_, p, err := t.conn.ReadMessage()
		if err != nil {
			t.person.mu.Lock()
			leaving := t.leaving
			t.person.mu.Unlock()
			t.broke = !websocket.IsCloseError(err, websocket.CloseGoingAway)
			if !leaving {
				t.person.work.closed(err)
				t.comeBack()
			}
			return
		}
		var f frame
		switch err := json.Unmarshal(p, &f); {
		case err != nil:
			t.person.work.closed(fmt.Errorf("what was heard is no frame: %w", err))
		case f.Type == "chat":
			t.person.hear(t, f)
		case f.Type == "error":
			t.person.fail(t, f)
		}
	}
}

// comeBack opens an idle tab again, as a page does whose socket has ended.
func (t *tab) comeBack() {
	w := t.person.work
	if !t.idle || w.Return == 0 || !w.returning.begin() {
		return
	}
	go func() {
		defer w.returning.done()
		select {
		case <-time.After(rand.N(w.Return)):
		case <-w.ctx.Done():
			return
		}
		_, err := t.person.open(w.ctx, true)
		w.note(err)
	}()
}

func (t *tab) say(text string) error { return t.conn.WriteJSON(frame{Text: text}) }

// leave closes the tab as a browser does: what was sent before has arrived when the
// close is answered.
func (t *tab) leave() {
	t.person.mu.Lock()
	t.leaving = true
	t.person.mu.Unlock()
	_ = t.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(10*time.Second))
	select {
	case <-t.over:
	case <-time.After(10 * time.Second):
		_ = t.conn.Close()
		<-t.over
	}
	if t.broke {
		t.person.cutOff(t)
	}
}

func (t *tab) isOver() bool {
	select {
	case <-t.over:
		return true
	default:
		return false
	}
}

// account compares what the tab has heard with what any tab of the person has: in
// the same order, and all of it between its first and its last, or to the end if it
// was open then. The person is locked.
func (t *tab) account(r *Report, all []uint32) {
	if len(t.heard) == 0 {
		return
	}
	last := uint32(0)
	for _, seq := range t.heard {
		if seq <= last {
			r.Disordered++
		}
		last = max(last, seq)
	}
	from, _ := slices.BinarySearch(all, t.heard[0])
	to, _ := slices.BinarySearch(all, last)
	if t.stayed {
		to = len(all) - 1
	}
	if missing := to - from + 1 - len(t.heard) - t.cut; missing > 0 && !t.told {
		r.Missing += missing
	}
}
