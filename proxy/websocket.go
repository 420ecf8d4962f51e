package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/requestid"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/refusals"
)

// wantsSocket reports a request that asks for a WebSocket. Any other upgrade is
// dropped, and the request goes on without it.
func wantsSocket(r *http.Request) bool {
	return hasToken(r.Header["Connection"], "upgrade") && hasToken(r.Header["Upgrade"], "websocket")
}

func hasToken(lines []string, want string) bool {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(element), want) {
				return true
			}
		}
	}
	return false
}

// checkUpgrade refuses a request for the chat that asks for no WebSocket: a front
// proxy has usually dropped the headers of the handshake, and the answer names them
// (RFC 9110 §15.5.22).
func (ex *exchange) checkUpgrade() *refusal {
	if ex.socket || ex.r.Method != http.MethodGet {
		return nil
	}
	if _, known := ex.h.o.Contract.Chat(ex.target.path); !known {
		return nil
	}
	err := errors.New("the chat needs a WebSocket handshake, and " + missingUpgrade(ex.r))
	if ex.r.ProtoMajor != 1 {
		return badRequest(refusals.BadHandshake, err) // HTTP/2 has no Upgrade to ask for
	}
	return &refusal{
		status: http.StatusUpgradeRequired, code: refusals.BadHandshake, public: err.Error(), rule: "websocket", err: err, upgrade: "websocket",
		hint: "a proxy in front must pass on Upgrade and Connection, over HTTP/1.1",
	}
}

// missingUpgrade says what a handshake lacks.
func missingUpgrade(r *http.Request) string {
	upgrade, connection := hasToken(r.Header["Upgrade"], "websocket"), hasToken(r.Header["Connection"], "upgrade")
	switch {
	case r.ProtoMajor != 1:
		return "it came over HTTP/2"
	case !upgrade && !connection:
		return "the headers Upgrade: websocket and Connection: upgrade did not arrive"
	case !upgrade:
		return "the header Upgrade: websocket did not arrive"
	}
	return "the header Connection: upgrade did not arrive"
}

// checkHandshake holds the handshake to RFC 6455 §4.2.1 before anything is done
// for it.
func checkHandshake(r *http.Request) *refusal {
	bad := func(text string) *refusal { return badRequest(refusals.BadHandshake, errors.New(text)) }
	switch {
	case r.ProtoMajor == 1 && r.ProtoMinor == 0:
		return bad("a WebSocket handshake needs HTTP/1.1, and HTTP/1.0 arrived")
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor != 1:
		return bad("a WebSocket handshake is a GET over HTTP/1.1")
	case len(r.Header["Sec-Websocket-Version"]) != 1 || r.Header.Get("Sec-Websocket-Version") != "13":
		return &refusal{
			status: http.StatusUpgradeRequired, code: refusals.BadHandshake, public: "Only version 13 of the WebSocket protocol is spoken here",
			hint: "use RFC 6455, and let a proxy in front pass on Sec-WebSocket-Version",
		}
	case len(r.Header["Sec-Websocket-Key"]) != 1:
		return bad("a WebSocket handshake carries one Sec-WebSocket-Key")
	case r.ContentLength != 0:
		return bad("a WebSocket handshake has no body")
	}
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-Websocket-Key"))
	if err != nil || len(key) != 16 {
		return bad("the Sec-WebSocket-Key is no 16 bytes in base64")
	}
	return nil
}

// serveSocket hands the handshake to the hub. The person's own id is the path at
// the Cat, whatever the client's path claimed.
func (ex *exchange) serveSocket() *refusal {
	if ref := checkHandshake(ex.r); ref != nil {
		return ref
	}
	if ref := ex.checkSocketOrigin(); ref != nil {
		return ref
	}
	if _, err := ex.h.o.Credentials.ChatRights(ex.h.person(ex.user)); err != nil {
		return refuseSocket(err)
	}
	upgrader := wsconn.Upgrader()
	if slices.Contains(offeredProtocols(ex.r.Header), bearerProtocol) {
		upgrader.Subprotocols = []string{bearerProtocol}
	}
	ex.record.RequestID = requestid.New()
	err := ex.h.o.Hub.Join(ex.r.Context(), chat.Joining{
		User:    ex.user,
		Since:   ex.begun.chat,
		ID:      ex.record.RequestID,
		Client:  ex.peer.ip,
		Group:   ex.group(),
		Page:    ex.r.Header.Get("Origin") != "", // which nothing but a browser sends by itself
		Dial:    ex.dialer(),
		Upgrade: func() (*websocket.Conn, error) { return upgrader.Upgrade(ex.w, ex.r, ex.upgrade) },
	})
	if err == nil {
		return nil // the hub has told of opening and closing
	}
	return refuseSocket(err)
}

// dialer returns how the person's socket at the Cat is opened. It may be asked after
// the request has ended, and holds nothing of it but where it came from.
func (ex *exchange) dialer() func(context.Context) (*websocket.Conn, error) {
	h, u, from := ex.h, ex.user, ex.peer
	return func(ctx context.Context) (*websocket.Conn, error) {
		head := http.Header{}
		(&exchange{peer: from}).writePeer(head)
		return h.dialCat(ctx, u, head)
	}
}

// DialCat opens a person's socket at the Cat again, for no client in particular.
func (h *Handler) DialCat(ctx context.Context, u *authhandlers.AuthUserInfo) (*websocket.Conn, error) {
	return h.dialCat(ctx, u, http.Header{})
}

func (h *Handler) dialCat(ctx context.Context, u *authhandlers.AuthUserInfo, head http.Header) (*websocket.Conn, error) {
	id, who := u.ID, h.person(u)
	within := chat.Within(ctx) // others share the socket
	if !within.Covers(who.Stored) {
		who.Account = "" // which has more
	}
	who.Held &= within
	token, err := h.o.Credentials.Chat(who)
	if err != nil {
		return nil, err
	}
	home, err := h.o.Cats.Pick(id, false) // again: the hub may dial again much later
	if err != nil {
		return nil, err
	}
	cat.SetIdentity(head, id)
	if err := cat.CheckIdentity(head, id); err != nil {
		return nil, err
	}
	c, resp, err := home.Dialer(id).DialContext(ctx, cat.ChatURL(home.Base(), id, token), head)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // gorilla has read what there is of it
	}
	if err != nil && ctx.Err() == nil {
		h.o.Cats.Doubt(home)
	}
	if err != nil && resp != nil {
		return nil, &handshakeError{resp.StatusCode}
	}
	return c, err
}

// handshakeError is an answer of the Cat's to a handshake, which opened no socket.
type handshakeError struct{ status int }

func (e *handshakeError) Error() string {
	if e.status == http.StatusForbidden || e.status == http.StatusUnauthorized {
		return fmt.Sprintf("the Cat answers %d to the handshake: it does not take Catflap's credential for the chat", e.status)
	}
	return fmt.Sprintf("the Cat answers %d to the handshake", e.status)
}

func refuseSocket(err error) *refusal {
	if unsure, ok := errors.AsType[*chat.UnsureError](err); ok {
		return refuseAuthentication(unsure, true)
	}
	if ended, ok := errors.AsType[*chat.EndedError](err); ok {
		return refuseEnded(ended)
	}
	switch {
	case errors.Is(err, chat.ErrTooManySockets):
		return &refusal{
			status: http.StatusServiceUnavailable, code: refusals.TooManySockets, public: "Too many open sockets", hint: "close one, or try again later",
			rule: "websocket.max_sockets", err: err, retry: 5,
		}
	case errors.Is(err, chat.ErrStopping):
		return &refusal{
			status: http.StatusServiceUnavailable, code: refusals.Stopping, public: "Catflap is stopping", hint: "try again in a moment", err: err, retry: 1,
		}
	case errors.Is(err, cat.ErrNoAccount):
		return refuseAccount(err)
	case errors.As(err, new(websocket.HandshakeError)):
		return badRequest(refusals.BadHandshake, errors.New("the WebSocket handshake is malformed"))
	case errors.As(err, new(*chat.ClaimError)):
		return refuseStore(err)
	case errors.As(err, new(*handshakeError)):
		return &refusal{
			status: http.StatusBadGateway, code: refusals.CatRefusedSocket, public: "The Cat did not open a socket",
			hint: "try again; the operator finds the cause under the request id", err: err,
		}
	case errors.As(err, new(*chat.DialError)), errors.Is(err, context.DeadlineExceeded):
		return refuseLost(err)
	}
	return nil
}

// refuseEnded answers a person whose access ended while the socket was opening.
func refuseEnded(ended *chat.EndedError) *refusal {
	ref := &refusal{
		status: http.StatusForbidden, code: refusals.PermissionDenied, public: "You may not do this", hint: ended.Closing.Reason,
		rule: "websocket", err: ended, challenge: true, tokenCame: true,
	}
	switch ended.Closing.Code {
	case chat.CodeSignedOut:
		ref.status, ref.code, ref.public = http.StatusUnauthorized, authhandlers.CodeTokenExpired, "Invalid Credentials"
	case websocket.CloseGoingAway, websocket.CloseServiceRestart, websocket.CloseTryAgainLater:
		ref.status, ref.code, ref.public, ref.challenge, ref.retry = http.StatusServiceUnavailable, refusals.Stopping, "The socket was not opened", false, 1
	}
	return ref
}
