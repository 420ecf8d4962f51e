package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

const (
	ticketMark = "cft_"
	ticketLife = 30 * time.Second
	// ticketsEach is how many unused tickets one person may hold, in all their sessions.
	ticketsEach = 32
	// ticketsGroup is how many people have who come by one credential.
	ticketsGroup = 2048
)

// Ticket lets its holder open one WebSocket within seconds.
type Ticket struct {
	// Session is the handle of the session for which it was issued.
	Session string
	// Person, instead, is the one that a bearer token named, as the chain has returned them.
	Person *authhandlers.AuthUserInfo
	// Origin is the one from which the ticket may be used.
	Origin string
	// Holder is in whose share the ticket counts. It is not kept with the ticket.
	Holder *authhandlers.AuthUserInfo `json:"-"`
	// Group, if not empty, names people who come by one credential, and have a share in
	// common. It is not kept either.
	Group string `json:"-"`
}

// IsTicket reports whether a token has the form of a ticket.
func IsTicket(token string) bool {
	secret, ok := strings.CutPrefix(token, ticketMark)
	return ok && isSecret(secret)
}

// IssueTicket returns the text of a new ticket, and how long it holds. ErrTooMany: the
// holder has too many that are unused.
func (m *Manager) IssueTicket(ctx context.Context, t Ticket) (ticket string, life time.Duration, err error) {
	if (t.Session == "") == (t.Person == nil) {
		return "", 0, errors.New("session: a ticket is either a session's or a person's")
	}
	holder := []string{t.Session}
	if u := cmp.Or(t.Holder, t.Person); u != nil {
		holder = []string{u.Issuer, u.Subject}
	}
	shares := []ticketShare{{m.keys.index(indexTickets, holder...), ticketsEach}}
	if t.Group != "" {
		shares = append(shares, ticketShare{m.keys.index(indexTickets, "group", t.Group, ""), ticketsGroup})
	}
	if err := m.heldWithin(ctx, shares, 1); err != nil {
		return "", 0, err
	}
	plain, err := json.Marshal(t)
	if err != nil {
		return "", 0, errors.New("session: the ticket can't be stored")
	}
	if len(plain) > maxRecord {
		return "", 0, ErrTooLarge
	}
	ticket = ticketMark + newSecret()
	key := ticketKey(ticket)
	var indexes []string
	for _, s := range shares {
		indexes = append(indexes, s.index)
	}
	if err := m.store.Create(ctx, key, m.keys.seal(sealTicket, key, plain), ticketLife, indexes...); err != nil {
		return "", 0, err
	}
	// Of many at once none saw the others: the one beyond the share goes back.
	if err := m.heldWithin(ctx, shares, 0); err != nil {
		_, undo := m.store.Delete(ctx, key)
		return "", 0, errors.Join(err, undo)
	}
	return ticket, ticketLife, nil
}

// ticketShare is how many tickets there may be under an index.
type ticketShare struct {
	index string
	most  int
}

// heldWithin returns ErrTooMany if more tickets together with those yet to come are under
// an index than its share.
func (m *Manager) heldWithin(ctx context.Context, shares []ticketShare, toCome int) error {
	for _, s := range shares {
		unused, err := m.store.Find(ctx, s.index)
		if err != nil {
			return err
		}
		if len(unused)+toCome > s.most {
			return ErrTooMany
		}
	}
	return nil
}

// RedeemTicket returns what the ticket stands for, once. ErrNoSession: it is spent,
// too old, or none of ours. Whether the session still lives is the caller's to look up.
func (m *Manager) RedeemTicket(ctx context.Context, ticket string) (*Ticket, error) {
	if !IsTicket(ticket) {
		return nil, ErrNoSession
	}
	key := ticketKey(ticket)
	sealed, err := m.store.Take(ctx, key)
	if err != nil {
		return nil, noSession(err)
	}
	plain, err := m.keys.open(sealTicket, key, sealed)
	var t Ticket
	if err != nil || json.Unmarshal(plain, &t) != nil {
		m.observe(EventUnreadable)
		return nil, ErrNoSession
	}
	return &t, nil
}

func ticketKey(ticket string) string { return "ticket:" + hash("ticket", ticket) }
