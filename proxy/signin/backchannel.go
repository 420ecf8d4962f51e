package signin

import (
	"errors"
	"mime"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
	"github.com/catflap/catflap/internal/requestid"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/session"
)

// maxLogoutBody bounds a logout request: one token.
const maxLogoutBody = 32 << 10

// backchannel takes the provider's word that somebody has signed out there (OpenID
// Connect Back-Channel Logout §2.5 to §2.8). name is the handler that it is for;
// without it the one that there is, or the one whose token it is.
func (s *SignIn) backchannel(w http.ResponseWriter, r *http.Request, client netip.Addr, name string) Result {
	if over := s.o.Bounds.logouts.Take(client); over != nil {
		return s.tooManyLogouts(w, name, over)
	}
	if _, ok := s.provider(name); name != "" && !ok {
		return s.badLogout(w, "", &authhandlers.Rejection{Code: refusals.UnknownProvider})
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return s.badLogout(w, name, errors.New("the body is no form"))
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutBody)
	if err := r.ParseForm(); err != nil {
		return s.badLogout(w, name, errors.New("the form is malformed"))
	}
	tokens := r.PostForm["logout_token"]
	if len(tokens) != 1 || tokens[0] == "" {
		return s.badLogout(w, name, errors.New("one logout_token is due"))
	}
	p, l, err := s.readLogout(r, name, tokens[0])
	if err == nil {
		err = s.o.Sessions.Logout(r.Context(), l)
	}
	rejected, _ := errors.AsType[*authhandlers.Rejection](err)
	switch {
	case err == nil:
	case rejected != nil || errors.Is(err, session.ErrReplayed):
		return s.badLogout(w, p.name, err)
	default:
		w.Header().Set("Retry-After", "5")
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"})
		return Result{Kind: Fault, Status: http.StatusServiceUnavailable, Code: refusals.SessionsUnavailable, Handler: p.name, RequestID: requestid.New(), Err: err}
	}
	s.o.Bounds.logouts.GiveBack(client)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return Result{Kind: SignedOut, Status: http.StatusOK, Handler: p.name, Reason: "back-channel logout"}
}

// readLogout verifies the token by the provider that it is for.
func (s *SignIn) readLogout(r *http.Request, name, token string) (provider, *authhandlers.Logout, error) {
	if p, ok := s.provider(name); ok {
		l, err := p.ReadLogoutToken(r.Context(), token)
		return p, l, err
	}
	var first error
	for _, p := range s.providers {
		l, err := p.ReadLogoutToken(r.Context(), token)
		if err == nil {
			return p, l, nil
		}
		if rejected, ok := errors.AsType[*authhandlers.Rejection](err); !ok || rejected.Code != authhandlers.CodeWrongIssuer || first == nil {
			first = err
		}
	}
	return s.providers[0], nil, first
}

// tooManyLogouts asks a stranger to wait before another token is looked at.
func (s *SignIn) tooManyLogouts(w http.ResponseWriter, name string, over *pace.Excess) Result {
	res := Result{Kind: Fault, Status: http.StatusServiceUnavailable, Code: refusals.TooManyLogoutTokens, Handler: name, RequestID: requestid.New()}
	if over.Own {
		res.Kind, res.Status = Refused, http.StatusTooManyRequests
	}
	w.Header().Set("Retry-After", strconv.Itoa(over.Wait))
	writeJSON(w, res.Status, map[string]string{"error": "temporarily_unavailable", "error_description": "too many logout tokens were not accepted"})
	return res
}

func (s *SignIn) badLogout(w http.ResponseWriter, name string, err error) Result {
	writeJSON(w, http.StatusBadRequest, map[string]string{
		"error": "invalid_request", "error_description": "the logout token is not accepted",
	})
	res := Result{Kind: Refused, Status: http.StatusBadRequest, Code: refusals.LogoutTokenInvalid, Handler: name, RequestID: requestid.New(), Err: err}
	if rejected, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		res.Code = rejected.Code
	}
	return res
}
