package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
	"github.com/catflap/catflap/internal/keyset"
)

type handler struct {
	desk    *inquiry.Desk
	client  *http.Client
	now     func() time.Time
	chosen  chosen
	address string
	method  string
	own     http.Header // what Catflap itself shows
	reading reading
}

// Open makes the handler. The service is asked in the background whether it answers, until
// ctx ends.
func (c *Config) Open(ctx context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	authorities, err := c.CAFile.Certificates()
	if err == nil {
		env.HTTP, err = keyset.Trusting(env.HTTP, authorities)
	}
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	h := &handler{
		client: inquiry.Client(env.HTTP), now: env.Now, chosen: choose(c.SendHeaders, c.SendCookies), address: c.URL, method: c.Method,
		own: http.Header{"User-Agent": {"catflap"}},
	}
	if !c.Secret.IsZero() {
		secret, err := c.Secret.Read()
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		value := string(secret)
		if strings.EqualFold(c.SecretHeader, "Authorization") {
			value = "Bearer " + value
		}
		h.own.Set(c.SecretHeader, value)
	}
	if h.reading, err = newReading(c, env); err != nil {
		return nil, err
	}
	names, err := json.Marshal([][]string{h.chosen.headers, h.chosen.cookies})
	if err != nil {
		return nil, err
	}
	h.desk, err = inquiry.Open(ctx, env, inquiry.Options{
		Ask: h.ask, Try: h.try, Notice: c.Cache.Std(), Timeout: c.Timeout.Std(), Stale: c.StaleIfError.Std(),
		Label: "webhook " + c.Method + " " + c.URL + " " + string(names),
	})
	return h, err
}

// Authenticate takes requests with any of the chosen values.
func (h *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if r.Credential.Bearer() && !h.chosen.authorization {
		return nil, authhandlers.ErrNoCredential // a token decides
	}
	credential, err := h.chosen.collect(r.HTTP.Header, r.Credential)
	switch {
	case errors.Is(err, errLong):
		return nil, authhandlers.Reject(authhandlers.CodeTokenTooLarge, err.Error(), "more than %d KiB are to be shown", maxShownBytes>>10)
	case err != nil:
		return nil, authhandlers.Reject(authhandlers.CodeMalformedToken, err.Error(), "%w", err)
	case credential == "":
		return nil, authhandlers.ErrNoCredential
	case h.chosen.isKey(credential):
		return nil, fmt.Errorf("%w: an API key is not shown to a service", authhandlers.ErrNoCredential)
	}
	return h.desk.Authenticate(ctx, r, credential)
}

// ask asks the service about the values of one request.
func (h *handler) ask(ctx context.Context, credential string) (*inquiry.Answer, error) {
	reply, err := h.send(ctx, credential)
	if err != nil {
		return nil, err
	}
	switch reply.Status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, authhandlers.Reject(authhandlers.CodeNotVouchedFor, "you are not known here any more; sign in again where you came from", "the service answered with status %d", reply.Status)
	default:
		return nil, reply.Failed("; it says who somebody is by 200, and refuses by 401 or 403")
	}
	o, err := reply.Object()
	if err != nil {
		return nil, err
	}
	info, err := h.reading.person(o, h.now())
	if err != nil {
		return nil, err
	}
	a := &inquiry.Answer{Person: *info}
	a.Fresh, a.Limited = freshness(reply.Header)
	return a, nil
}

func (h *handler) send(ctx context.Context, credential string) (*inquiry.Reply, error) {
	req, err := http.NewRequestWithContext(ctx, h.method, h.address, http.NoBody)
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	if err := h.chosen.show(credential, req.Header); err != nil {
		return nil, err
	}
	maps.Copy(req.Header, h.own)
	return inquiry.Send(ctx, h.client, req)
}

// try asks about nobody. Each whole answer shows that the service is there, but for one
// that names somebody: it would vouch for everybody.
func (h *handler) try(ctx context.Context) error {
	_, err := h.ask(ctx, strings.Repeat("\x00", len(h.chosen.headers)+len(h.chosen.cookies)))
	if _, refused := errors.AsType[*authhandlers.Rejection](err); refused || errors.Is(err, errNobody) {
		return nil
	}
	if err == nil {
		return inquiry.Setup(errors.New("the service names somebody for a request that shows nothing of anybody"))
	}
	return err
}

// Presented implements authhandlers.Presenter: it names what the request shows in the handler's own headers. Cookies are not
// among it: any other credential decides over them.
func (h *handler) Presented(r *http.Request) (*authhandlers.Credential, error) {
	if h.chosen.authorization || len(h.chosen.headers) == 0 {
		return nil, nil //nolint:nilnil // the handler has no header of its own
	}
	own := chosen{headers: h.chosen.headers}
	shown, err := own.collect(r.Header, nil)
	if shown == "" || err != nil {
		return nil, err
	}
	return &authhandlers.Credential{Scheme: "webhook", Value: shown, Carrier: authhandlers.Carrier("header " + own.headers[0])}, nil
}

// Ambient reports all but a bearer token that stands alone: any page can add one, in the
// address of a socket, to what a browser or a proxy in front sends by itself.
func (h *handler) Ambient(r *authhandlers.Request) bool {
	alone := h.chosen.authorization && len(h.chosen.headers) == 1 && len(h.chosen.cookies) == 0
	return !alone || !r.Credential.Bearer()
}

// Ready reports that the service can't be asked.
func (h *handler) Ready(context.Context) error { return h.desk.Ready() }

// Rejudge implements authhandlers.Rejudger.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	return h.desk.Rejudge(u)
}

// Generation implements authhandlers.Rejudger.
func (h *handler) Generation() uint64 { return h.desk.Generation() }

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Prober      = (*handler)(nil)
	_ authhandlers.Rejudger    = (*handler)(nil)
	_ authhandlers.Ambient     = (*handler)(nil)
	_ authhandlers.Presenter   = (*handler)(nil)
)
