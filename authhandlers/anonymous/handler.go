package anonymous

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// skew is how far the clocks of several Catflaps may be apart.
const skew = time.Minute

type handler struct {
	c       Config
	name    string // of the cookie
	now     func() time.Time
	observe func(event string)
	ring    ring
	book    *book
}

var (
	errNoCookie = errors.New("it has no guest's cookie")
	errEnded    = errors.New("the guest's cookie has ended")
	errSignedIn = errors.New("the guest has signed in, and is no guest any more")
	errCarries  = errors.New("it carries a credential, and is no guest's")
)

// gone says why a request is nobody's.
func gone(err error) error { return fmt.Errorf("%w: %w", authhandlers.ErrNoCredential, err) }

// Authenticate takes requests without any credential that have a guest's cookie.
func (h *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if r.Credential != nil || r.OtherCredential {
		return nil, gone(errCarries)
	}
	p, err := h.read(r.HTTP)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.enter(p, r)
}

// read returns the pass of the request's cookie. One that is not good is none: the
// browser of a guest of before can still be taken in, and public endpoints stay public.
func (h *handler) read(r *http.Request) (pass, error) {
	cookies := r.CookiesNamed(h.name)
	switch {
	case len(cookies) == 0:
		return pass{}, gone(errNoCookie)
	case len(cookies) > 1:
		h.observe(eventTwoCookies)
		return pass{}, authhandlers.Reject(authhandlers.CodeMalformedToken, "delete the cookies of this site", "the guest's cookie comes %d times: which is ours can't be told", len(cookies))
	}
	p, err := h.ring.open(cookies[0].Value)
	if err != nil {
		h.observe(eventBadCookie)
		return pass{}, gone(err)
	}
	switch now := h.now(); {
	case !now.Before(h.end(p)), p.sealed < p.made, time.Unix(p.sealed, 0).Sub(now) > skew:
		return pass{}, gone(errEnded)
	case h.book.finished(p.subject()):
		return pass{}, gone(errSignedIn)
	}
	return p, nil
}

// end is when the pass is no longer good.
func (h *handler) end(p pass) time.Time {
	end, last := time.Unix(p.sealed, 0).Add(h.c.Lifetime.Std()), time.Unix(p.made, 0).Add(h.c.MaxLifetime.Std())
	if last.Before(end) {
		return last
	}
	return end
}

// enter lets a guest in, if there is a place, and renews the cookie if that is due.
func (h *handler) enter(p pass, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	now, renewed := h.now(), p
	renewed.key, renewed.sealed = h.ring[0].name, now.Unix()
	renews := r.SetCookie != nil && now.Sub(time.Unix(p.sealed, 0)) >= h.c.Lifetime.Std()/2 && h.end(renewed).After(h.end(p))
	if renews {
		p = renewed
	}
	gaveUp, ended, f := h.book.enter(p.subject(), r.ClientIP, h.end(p), h.room())
	if gaveUp {
		h.observe(eventGivenUp)
	}
	if ended {
		return nil, gone(errSignedIn)
	}
	if f.reached {
		return nil, h.full(authhandlers.CodeGuestsFull, eventFull, f.own, f.wait)
	}
	if renews {
		r.SetCookie(h.name, h.ring.seal(p), h.end(p).Sub(now))
	}
	return h.person(p, r.Lasting), nil
}

func (h *handler) room() room {
	return room{guests: h.c.Guests, perAddress: h.c.PerAddress, idle: h.c.Idle.Std()}
}

func (h *handler) full(code authhandlers.Code, event string, own bool, wait time.Duration) error {
	h.observe(event)
	return &authhandlers.FullError{Code: code, Own: own, Wait: wait}
}

// person is a guest, for the chain.
func (h *handler) person(p pass, lasting bool) *authhandlers.AuthUserInfo {
	u := &authhandlers.AuthUserInfo{Name: "Guest", Issuer: authhandlers.GuestIssuer, Subject: p.subject(), IssuedAt: p.made, Expiry: h.end(p)}
	if lasting {
		u.Evidence = p.evidence()
	}
	return u
}

// TakeIn implements authhandlers.Host. The place is taken when the cookie comes back.
func (h *handler) TakeIn(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	u, err := h.Authenticate(ctx, r)
	if err == nil || !errors.Is(err, authhandlers.ErrNoCredential) {
		return u, err
	}
	if r.Credential != nil || r.OtherCredential || r.SetCookie == nil {
		return nil, &authhandlers.Rejection{Code: authhandlers.CodeMissingCredential, Hint: "send the request without any credential", Err: err}
	}
	if f := h.book.look(r.ClientIP, h.room()); f.reached {
		return nil, h.full(authhandlers.CodeGuestsFull, eventFull, f.own, f.wait)
	}
	if over := h.book.pace.Take(r.ClientIP); over != nil {
		return nil, h.full(authhandlers.CodeTooManyGuests, eventTooMany, over.Own, time.Duration(over.Wait)*time.Second)
	}
	now := h.now()
	p := newPass(now)
	p.key = h.ring[0].name
	r.SetCookie(h.name, h.ring.seal(p), h.end(p).Sub(now))
	h.observe(eventMade)
	return h.person(p, r.Lasting), nil
}

// IsGuest implements authhandlers.Host.
func (h *handler) IsGuest(r *http.Request) bool {
	_, err := h.read(r)
	return err == nil
}

// SeeOff implements authhandlers.Host.
func (h *handler) SeeOff(r *authhandlers.Request) *authhandlers.AuthUserInfo {
	if len(r.HTTP.CookiesNamed(h.name)) == 0 {
		return nil
	}
	if r.SetCookie != nil {
		r.SetCookie(h.name, "", 0)
	}
	p, err := h.read(r.HTTP)
	if err != nil || !h.book.finish(p.subject()) {
		return nil
	}
	h.observe(eventSeenOff)
	return h.person(p, false)
}

// Guests implements authhandlers.Host.
func (h *handler) Guests() int { return h.book.count() }

// OffersCopy implements authhandlers.Host.
func (h *handler) OffersCopy() bool { return h.c.KeepConversation == "ask" }

// Ambient implements authhandlers.Ambient: browsers send the cookie, whichever page asks.
func (h *handler) Ambient(*authhandlers.Request) bool { return true }

// Rejudge implements authhandlers.Rejudger: the cookie of the evidence would still be
// accepted, and the guest has a place. Where it was at another Catflap, a free one will do.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	over := func(why string) (*authhandlers.AuthUserInfo, error) {
		return nil, authhandlers.Reject(authhandlers.CodeTokenExpired, "become a guest again, or sign in", "%s", why)
	}
	p, err := readEvidence(u.Evidence)
	switch {
	case err != nil:
		return over("the evidence is of another handler")
	case h.ring.key(p.key) == nil:
		return over("the key of the guest's cookie is no more")
	case !h.now().Before(h.end(p)):
		return over("the guest's cookie has ended")
	case h.book.finished(p.subject()):
		return over("the guest has signed in")
	case !h.book.stays(p.subject(), h.end(p), h.room()):
		return over("the guest's place was given up")
	}
	return h.person(p, true), nil
}

// Generation implements authhandlers.Rejudger.
func (h *handler) Generation() uint64 { return h.book.generation.Load() }

var (
	_ authhandlers.Host     = (*handler)(nil)
	_ authhandlers.Ambient  = (*handler)(nil)
	_ authhandlers.Rejudger = (*handler)(nil)
)
