package proxy

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// judgeWait bounds how long it may take to judge what is under way.
const judgeWait = 15 * time.Second

// Passages are the people's requests that are under way: an answer may be a stream that
// lasts for hours. They outlive configuration reloads. Those of people who would not be
// let in any more are cut off.
type Passages struct {
	hub    *chat.Hub
	judged atomic.Uint64

	mu       sync.Mutex
	current  *Handler // of the last Rejudge
	passages map[*passage]struct{}
}

// passage is one request.
type passage struct {
	ex     *exchange
	r      *http.Request // as it came
	cancel context.CancelCauseFunc
}

// mark is a moment in what ends people's access.
type mark struct {
	chat   chat.Mark
	judged uint64
}

// NewPassages makes one for requests beside the hub's sockets.
func NewPassages(hub *chat.Hub) *Passages {
	return &Passages{hub: hub, passages: map[*passage]struct{}{}}
}

func (u *Passages) mark() mark { return mark{u.hub.Mark(), u.judged.Load()} }

// enter notes a person's request, which may be cut off from here on, and refuses it if
// its person's access has ended since it began. Without a refusal, leave must follow.
func (u *Passages) enter(ex *exchange) (leave func(), ref *refusal) {
	if ex.user == nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithCancelCause(ex.r.Context())
	p := &passage{ex: ex, r: ex.r, cancel: cancel}
	ex.r = ex.r.WithContext(ctx)
	leave = func() {
		u.mu.Lock()
		delete(u.passages, p)
		u.mu.Unlock()
		cancel(nil)
	}
	u.mu.Lock()
	u.passages[p] = struct{}{}
	judge := u.current
	u.mu.Unlock()
	if c := u.hub.Revoked(ex.begun.chat, ex.user); c != nil {
		leave()
		return nil, refuseEnded(&chat.EndedError{Closing: *c})
	}
	if ex.begun.judged != u.judged.Load() {
		if err := judge.stillIn(ctx, p); err != nil {
			leave()
			return nil, refuseAuthentication(cmp.Or(refused(err), err), true)
		}
	}
	return leave, nil
}

// Revoke cuts off the requests of those that the revocation means. The hub has been
// told of it before.
func (u *Passages) Revoke(r authhandlers.Revocation) {
	for _, p := range u.all() {
		if r.Matches(p.ex.user) {
			p.cancel(errSignedOut)
		}
	}
}

// Rejudge asks for each request by the rules of h whether it would be let in, and cuts
// off those that would not. It returns before that is done.
func (u *Passages) Rejudge(h *Handler) {
	u.mu.Lock()
	u.current = h
	u.judged.Add(1)
	u.mu.Unlock()
	list := u.all()
	if len(list) == 0 {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), judgeWait)
		defer cancel()
		for _, p := range list {
			if ref := refused(h.stillIn(ctx, p)); ref != nil {
				p.cancel(ref)
			}
		}
	}()
}

func (u *Passages) all() []*passage {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := make([]*passage, 0, len(u.passages))
	for p := range u.passages {
		list = append(list, p)
	}
	return list
}

// errSignedOut ends a request whose person has signed out.
var errSignedOut = &authhandlers.Rejection{Code: authhandlers.CodeTokenExpired, Hint: "sign in again"}

// refused tells a refusal from a fault, which says nothing about the person.
func refused(err error) error {
	if rejected, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return rejected
	}
	switch {
	case errors.Is(err, session.ErrNoSession):
		return errSignedOut
	case errors.Is(err, authhandlers.ErrLapsed):
		return err
	}
	return nil
}

// stillIn says whether a request would be let in now.
func (h *Handler) stillIn(ctx context.Context, p *passage) error {
	ex := p.ex
	var u *authhandlers.AuthUserInfo
	var err error
	switch {
	case ex.user.Session == "":
		q := ex.question()
		q.HTTP, q.SetCookie = p.r, nil // the answer is on its way
		u, err = h.o.Chain.StillIn(ctx, q, ex.user)
	case h.o.SignIn == nil:
		err = session.ErrNoSession
	default:
		if u, _, err = h.o.SignIn.PersonOf(ctx, ex.user.Session); err == nil && !u.Same(ex.user) {
			err = session.ErrNoSession
		}
	}
	if err != nil {
		return err
	}
	if err := h.o.People.stays(u); err != nil {
		return err
	}
	t := permission.Target{Method: ex.r.Method, Path: ex.target.path}
	t.Route, t.Known = h.o.Contract.Route(t.Method, t.Path)
	d := h.o.Policy.Decide(u, t)
	if _, public := h.o.Policy.Public(t.Method, t.Path); !d.Allow && !public {
		return authhandlers.Reject(refusals.PermissionDenied, "you may no longer do this", "%s", d.Reason)
	}
	return nil
}
