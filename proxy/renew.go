package proxy

import (
	"context"
	"errors"
	"net/http"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// Judge returns a person who is connected as they would be let in now: after a reload,
// and when keys have changed, each live socket is judged again. The error is a
// *authhandlers.Rejection if the credential is no longer accepted, and else says why
// they may no longer chat. Where a handler can't tell yet, they stay, until it answers
// with authhandlers.ErrLapsed.
func (h *Handler) Judge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	again, err := h.o.Chain.Rejudge(u)
	if _, refused := errors.AsType[*authhandlers.Rejection](err); refused || errors.Is(err, authhandlers.ErrLapsed) {
		return nil, err
	}
	if err != nil {
		again = u
	}
	return again, h.mayChat(again)
}

// Generation changes whenever the answers of Judge may, for another reason than a
// reload.
func (h *Handler) Generation() uint64 { return h.o.Chain.Generation() }

func (h *Handler) mayChat(u *authhandlers.AuthUserInfo) error {
	route, _ := h.o.Contract.Chat("/ws")
	if d := h.o.Policy.Decide(u, permission.Target{Method: http.MethodGet, Path: route.Path, Route: route, Known: true}); !d.Allow {
		return errors.New(d.Reason)
	}
	if err := h.o.People.stays(u); err != nil {
		return err
	}
	_, err := h.o.Credentials.ChatRights(h.person(u))
	return err
}

// Confirm asks whether somebody is still let in who has a place for a socket by now:
// word of the end of their session may be late. The error is as that of Renew.
func (h *Handler) Confirm(ctx context.Context, u *authhandlers.AuthUserInfo) error {
	if u.Session == "" {
		if h.o.SignIn == nil {
			return nil // nobody signs out
		}
		return h.o.Sessions.DeniedInStore(ctx, u)
	}
	_, err := h.Renew(ctx, u)
	return err
}

// Renew asks again who has the session by which a person came. The error is a
// *authhandlers.Rejection if it is over or they may no longer chat, and otherwise a
// fault that says nothing about the person.
func (h *Handler) Renew(ctx context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	if h.o.SignIn == nil {
		return nil, &authhandlers.Rejection{Code: refusals.SessionEnded}
	}
	fresh, _, err := h.o.SignIn.PersonOf(ctx, u.Session)
	if errors.Is(err, session.ErrNoSession) {
		return nil, &authhandlers.Rejection{Code: refusals.SessionEnded, Err: err}
	}
	if err != nil {
		return nil, err
	}
	if !fresh.Same(u) {
		return nil, &authhandlers.Rejection{Code: refusals.PermissionDenied, Err: errors.New("the session is another person's now")}
	}
	if err := h.mayChat(fresh); err != nil {
		return nil, &authhandlers.Rejection{Code: refusals.PermissionDenied, Err: err}
	}
	return fresh, nil
}

// Reauthenticate verifies a token that a person's client has sent over its open
// socket, as it would one of a handshake, for the hub.
func (h *Handler) Reauthenticate(ctx context.Context, current *authhandlers.AuthUserInfo, token string) (*authhandlers.AuthUserInfo, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/ws", http.NoBody)
	if err != nil {
		return nil, err
	}
	u, err := h.o.Chain.Authenticate(ctx, &authhandlers.Request{
		Credential: &authhandlers.Credential{Scheme: "bearer", Value: token, Carrier: authhandlers.CarrierSubprotocol},
		HTTP:       r, Kind: authhandlers.KindWebSocket, Current: current, Lasting: true,
	})
	if err != nil {
		return nil, err
	}
	if h.mayChat(u) != nil {
		return nil, &chat.EndedError{Closing: chat.Closing{Code: chat.CodeForbidden, Reason: "you may no longer chat"}}
	}
	return u, nil
}
