package proxy

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/session"
)

// Judge says whether a person who is connected may stay so: after a reload, each
// live socket is judged by the new rules. Nil means yes.
func (h *Handler) Judge(u *authhandlers.AuthUserInfo) error {
	if !slices.ContainsFunc(h.o.Chain.Links(), func(l authhandlers.Link) bool { return l.Name == u.Handler }) {
		return errors.New("the handler that let this person in is no more")
	}
	route, _ := h.o.Contract.Chat("/ws")
	if d := h.o.Policy.Decide(u, permission.Target{Method: http.MethodGet, Path: route.Path, Route: route, Known: true}); !d.Allow {
		return errors.New(d.Reason)
	}
	_, err := h.o.Credentials.ChatRights(h.person(u))
	return err
}

// Renew asks anew who has the session by which a person came. The error is a
// *authhandlers.Rejection if it is over or they may no longer chat, and otherwise a
// fault that says nothing about the person.
func (h *Handler) Renew(ctx context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	if h.o.SignIn == nil {
		return nil, &authhandlers.Rejection{Code: codeSessionEnded}
	}
	fresh, _, err := h.o.SignIn.PersonOf(ctx, u.Session)
	if errors.Is(err, session.ErrNoSession) {
		return nil, &authhandlers.Rejection{Code: codeSessionEnded, Err: err}
	}
	if err != nil {
		return nil, err
	}
	if fresh.ID != u.ID {
		return nil, &authhandlers.Rejection{Code: codePermission, Err: errors.New("the session is another person's now")}
	}
	if err := h.Judge(fresh); err != nil {
		return nil, &authhandlers.Rejection{Code: codePermission, Err: err}
	}
	return fresh, nil
}

// Reauthenticate verifies a token that a person's client has sent over its open
// socket, as it would one of a handshake, for the hub.
func (h *Handler) Reauthenticate(ctx context.Context, _ *authhandlers.AuthUserInfo, token string) (*authhandlers.AuthUserInfo, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/ws", http.NoBody)
	if err != nil {
		return nil, err
	}
	u, err := h.o.Chain.Authenticate(ctx, &authhandlers.Request{
		Credential: &authhandlers.Credential{Scheme: "bearer", Value: token, Carrier: authhandlers.CarrierSubprotocol},
		HTTP:       r, Kind: authhandlers.KindWebSocket,
	})
	if err != nil {
		return nil, err
	}
	if h.Judge(u) != nil {
		return nil, &chat.EndedError{Closing: chat.Closing{Code: chat.CodeForbidden, Reason: "you may no longer chat"}}
	}
	return u, nil
}
