package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// conversationPage is where a guest who is about to sign in gets a copy of what was
// said: the Cat can't give it to somebody else.
const conversationPage = guestPage + "/conversation"

// The bounds of a request of our own about a guest's conversation.
const (
	conversationWait = 10 * time.Second
	maxConversation  = 8 << 20
)

// askConversation asks the Cat for a guest's conversation, or to forget it. Nobody but
// Catflap asks, and for this one id: the guest's own permissions do not matter.
func (h *Handler) askConversation(ctx context.Context, method string, u *authhandlers.AuthUserInfo) (*http.Response, error) {
	home, err := h.o.Cats.Pick(u.ID, false)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, home.Base().JoinPath(cat.ConversationPath).String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	route, _ := h.o.Contract.Route(method, cat.ConversationPath)
	cat.SetIdentity(req.Header, u.ID)
	if err := h.o.Credentials.HTTP(req.Header, cat.Person{ID: u.ID, Held: cat.Nobody().Held}, route); err != nil {
		return nil, err
	}
	if err := cat.CheckIdentity(req.Header, u.ID); err != nil {
		return nil, err
	}
	resp, err := home.RoundTrip(req, u.Key(), false)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.Join(historyError(resp.StatusCode), resp.Body.Close())
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// clearConversation has the Cat forget what a guest said who is one no more.
func (h *Handler) clearConversation(ctx context.Context, u *authhandlers.AuthUserInfo) {
	resp, err := h.askConversation(ctx, http.MethodDelete, u)
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxConversation)) // so that the connection can be used again
		err = resp.Body.Close()
	}
	if err != nil {
		h.o.Log.Warn("the conversation of a guest who has signed in stays at the Cat until it forgets it", "guest", u.ID, "err", err.Error())
	}
}

// serveConversation gives a guest a copy of the conversation as a file.
func (ex *exchange) serveConversation() *refusal {
	ex.record.Route = "GET " + conversationPage
	switch {
	case ex.h.host == nil || !ex.h.host.OffersCopy():
		return refuseNotFound()
	case ex.r.Method != http.MethodGet:
		return methodRefusal(http.MethodGet)
	}
	if err := ex.h.o.Cats.Shut(); err != nil {
		return refuseNotReady(err)
	}
	if ref := ex.authenticate(); ref != nil {
		return ref
	}
	if ex.user == nil || !ex.user.IsGuest() {
		return refuseNotFound()
	}
	if ref := ex.enterAsPerson(ex.user); ref != nil {
		return ref
	}
	ctx, cancel := context.WithTimeout(ex.r.Context(), conversationWait)
	defer cancel()
	resp, err := ex.h.askConversation(ctx, http.MethodGet, ex.user)
	if errors.Is(err, cat.ErrNoAccount) {
		return refuseAccount(err)
	}
	if err != nil {
		return refuseLost(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxConversation+1))
	if err == nil && len(text) > maxConversation {
		err = errHistory
	}
	if err != nil {
		return refuseLost(err)
	}
	h := ex.w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Disposition"] = []string{`attachment; filename="conversation.json"`}
	h["Content-Security-Policy"] = []string{"default-src 'none'; sandbox"}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	ex.w.WriteHeader(http.StatusOK)
	_, _ = ex.w.Write(text) // the client has gone: nobody to tell
	ex.done(OutcomePage, http.StatusOK)
	return nil
}
