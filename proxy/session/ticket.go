package session

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

const (
	ticketPrefix = "cft_"
	ticketLife   = 30 * time.Second
)

// Ticket opens one socket for whoever asked for it.
type Ticket struct {
	// Session is the handle of the person's session, or else
	Session string
	// Person is somebody who came with a token.
	Person *authhandlers.AuthUserInfo
	// Origin is the page's that asked; empty: no browser did.
	Origin string
}

// IsTicket reports a text that has the form of a ticket.
func IsTicket(text string) bool { return strings.HasPrefix(text, ticketPrefix) }

// IssueTicket makes a ticket and returns it with its life.
func (m *Manager) IssueTicket(ctx context.Context, t Ticket) (string, time.Duration, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", 0, err
	}
	id := secret()
	key := "ticket:" + storeKey(id)
	if err := m.o.Store.Create(ctx, key, m.keys.seal(forTicket, key, text), ticketLife); err != nil {
		return "", 0, err
	}
	m.o.Observe("ticket_issued")
	return ticketPrefix + encode(id), ticketLife, nil
}

// RedeemTicket uses a ticket up. ErrNoSession means that it is none, or no more.
func (m *Manager) RedeemTicket(ctx context.Context, text string) (*Ticket, error) {
	id, err := decode(strings.TrimPrefix(text, ticketPrefix))
	if err != nil || len(id) != 32 {
		return nil, ErrNoSession
	}
	key := "ticket:" + storeKey(id)
	sealed, err := m.o.Store.Take(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	opened, err := m.keys.open(forTicket, key, sealed)
	if err != nil {
		return nil, ErrNoSession
	}
	var t Ticket
	if err := json.Unmarshal(opened, &t); err != nil {
		return nil, ErrNoSession
	}
	if t.Session == "" && t.Person == nil {
		return nil, ErrNoSession
	}
	return &t, nil
}
