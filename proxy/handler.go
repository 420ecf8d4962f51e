package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/required"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/signin"
	"github.com/catflap/catflap/proxy/upstream"
)

// PagePrefix is the path below which Catflap's own pages live. Nothing below it
// is ever forwarded.
const PagePrefix = "/_catflap/"

// Options are the parts of a Handler.
type Options struct {
	Chain       *authhandlers.Chain
	Policy      *permission.Policy
	Contract    *cat.Contract
	Credentials cat.Credentials
	// Cats are one Cat or several.
	Cats *upstream.Pool
	Hub  *chat.Hub
	// People has users made at the Cat for people of identity providers; nil: for nobody.
	People *People
	// Passages is the requests of all Handlers beside one hub; nil: of this one alone.
	Passages *Passages
	// SignIn is the way in for people with a browser, and Pages what they see; nil where
	// nobody signs in here. Sessions is what they then have, and keeps tickets; it may be
	// there without the others.
	SignIn   *signin.SignIn
	Sessions *session.Manager
	Pages    *page.Pages
	// PublicURL is what browsers see, as an origin; empty: the request's own.
	PublicURL string
	// HSTS is how long browsers are to come by https alone; 0 does not say.
	HSTS time.Duration
	// Origins are further origins that may call, exactly as browsers write them.
	Origins []string
	// PanelImages are further origins whose pictures the admin panel shows.
	PanelImages []string
	// TrustedProxies may say where a request came from.
	TrustedProxies []netip.Prefix
	// Certificates judges the certificates of clients; nil where the listener asks for none.
	Certificates authhandlers.Certificates
	// Attributes, if not nil, tell the Cat's plugins who somebody is.
	Attributes *attributes.Signer
	// ForwardCookies are the names of the cookies that reach the Cat.
	ForwardCookies []string
	// ForwardHeaders are the names of further headers that reach the Cat. None may be
	// one that RefuseRequestHeader refuses.
	ForwardHeaders []string
	// AnswerHeaders are the names of further headers of the Cat's answers that reach the
	// client. None may be one that RefuseAnswerHeader refuses.
	AnswerHeaders []string
	// VisibleRefusals accepts the handshake of a browser that is refused, to close it
	// with a code and a reason that its page can read.
	VisibleRefusals bool
	// QueryToken takes the credential of a handshake from its query.
	QueryToken bool
	// MaxHeaders bounds the header lines of a request.
	MaxHeaders int
	// MaxBody bounds the body of a request in bytes, MaxUpload that of an upload; 0
	// means any size.
	MaxBody, MaxUpload int64
	// BodyIdle is how long a body may stand still on its way to the Cat, BodyUnread how
	// long what nobody forwards of one may take to come.
	BodyIdle, BodyUnread time.Duration
	// UnderWay counts the requests, of which there may be PerPerson and PerAddress.
	UnderWay              *UnderWay
	PerPerson, PerAddress int
	// Observe is told of every exchange, once, when it is over.
	Observe func(*Record)
	Log     *slog.Logger
	Now     func() time.Time
}

// Handler is the whole way of a request. It is immutable: a reload makes another.
type Handler struct {
	o          Options
	publicHost string
	challenges []string
	schemes    []string          // of the challenges, in lower case
	host       authhandlers.Host // takes in guests; nil: nobody does
	pages      *http.ServeMux
	presenters []authhandlers.Presenter
	vary       string // the headers by which somebody comes with a credential
	allowed    string // the headers that pages of other origins may send

	panelPolicy string
}

// New makes a Handler; every part must be there.
func New(o Options) (*Handler, error) {
	if err := o.whole(); err != nil {
		return nil, err
	}
	if err := o.readHeaders(); err != nil {
		return nil, err
	}
	if err := o.checkCarriers(); err != nil {
		return nil, err
	}
	if o.Passages == nil {
		o.Passages = NewPassages(o.Hub)
	}
	h := &Handler{o: o, host: o.Chain.Host(), challenges: []string{"Bearer"}, pages: http.NewServeMux(), panelPolicy: panelPolicy(o.PanelImages)}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil {
			return nil, err
		}
		h.publicHost = u.Host
	}
	for _, l := range o.Chain.Links() {
		if c, ok := l.Handler.(authhandlers.Challenger); ok && !slices.Contains(h.challenges, c.Challenge()) {
			h.challenges = append(h.challenges, c.Challenge())
		}
		if m, ok := l.Handler.(authhandlers.Mounter); ok {
			m.Mount(h.pages)
		}
	}
	h.carriers()
	for _, c := range h.challenges {
		scheme, _, _ := strings.Cut(c, " ")
		h.schemes = append(h.schemes, strings.ToLower(scheme))
	}
	if o.SignIn != nil {
		o.Pages.Mount(h.pages)
	}
	return h, nil
}

// whole returns an error that names what is missing: of the parts, of the bounds, and of
// what signing in needs.
func (o *Options) whole() error {
	signsIn := o.SignIn != nil
	return required.Parts("proxy.Options", map[string]bool{
		"Chain": o.Chain != nil, "Policy": o.Policy != nil, "Contract": o.Contract != nil, "Credentials": o.Credentials != nil,
		"Cats": o.Cats != nil, "Hub": o.Hub != nil, "UnderWay": o.UnderWay != nil, "Observe": o.Observe != nil, "Log": o.Log != nil, "Now": o.Now != nil,
		"MaxHeaders": o.MaxHeaders > 0, "BodyIdle": o.BodyIdle > 0, "BodyUnread": o.BodyUnread > 0,
		"PerPerson": o.PerPerson > 0, "PerAddress": o.PerAddress > 0,
		"Sessions": !signsIn || o.Sessions != nil, "Pages": !signsIn || o.Pages != nil, "PublicURL": !signsIn || o.PublicURL != "",
	})
}

// Ready reports why a request could not be served now: the Cat's doors, and each
// handler that knows whether it is ready. The texts hold no secrets.
func (h *Handler) Ready(ctx context.Context) error {
	err := h.o.Cats.Ready()
	if h.o.Sessions != nil {
		if e := h.o.Sessions.Ready(ctx); e != nil {
			err = errors.Join(err, e)
		}
	}
	for _, l := range h.o.Chain.Links() {
		if p, ok := l.Handler.(authhandlers.Prober); ok {
			if e := p.Ready(ctx); e != nil {
				err = errors.Join(err, errors.New("handler "+l.Name+": "+e.Error()))
			}
		}
	}
	return err
}

// ServeHTTP takes one request all the way.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ex := &exchange{h: h, w: w, r: r, start: h.o.Now()}
	ex.record.Method = loggableMethod(r.Method)
	ex.closeAmbiguous()
	if ex.body = receive(w, r, h.o.BodyUnread); ex.body != nil {
		defer ex.body.done()
	}
	defer ex.leave()
	if ref := ex.run(); ref != nil {
		ex.refuse(ref)
	}
}
