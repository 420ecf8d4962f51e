package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"

	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
)

// forward sends the request to the Cat and its answer back. The exchange itself is
// the transport, so that what leaves is looked at last, after everything that
// could still have changed it.
func (ex *exchange) forward() *refusal {
	replay, streamed, ref := ex.takeBody()
	if ref != nil {
		return ref
	}
	if replay, ref = ex.tell(replay, streamed); ref != nil {
		return ref
	}
	var failed *refusal
	rp := httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { ex.rewrite(pr, replay, streamed) },
		Transport:      roundTripper{ex, streamed},
		BufferPool:     ex.upstream,
		ModifyResponse: ex.answer,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failed = ex.explain(err) },
		ErrorLog:       ex.upstream.ErrorLog(),
	}
	defer ex.brokenOff()
	in := ex.r.WithContext(ex.r.Context()) // a shallow copy
	in.Header = ex.passing
	rp.ServeHTTP(ex.w, in)
	if failed == nil {
		ex.done(OutcomeAllowed, ex.record.Status)
	}
	return failed
}

// brokenOff records an answer that could not be finished, and lets net/http cut
// the connection, which is the only way to tell the client.
func (ex *exchange) brokenOff() {
	p := recover()
	if p == nil {
		return
	}
	ex.record.Code = refusals.BrokenOff
	ex.done(OutcomeFault, ex.record.Status)
	panic(p)
}

// rewrite makes the outgoing request: what sanitise has left of the client's, and then,
// set last, the one identity. The round trip adds Catflap's own credential.
func (ex *exchange) rewrite(pr *httputil.ProxyRequest, replay []byte, streamed bool) {
	out, h := pr.Out, pr.Out.Header
	out.Trailer = nil
	ex.writeTarget(out)
	ex.writePeer(h)
	switch {
	case replay != nil:
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(replay)), nil }
		out.Body, _ = out.GetBody()
	case streamed:
		out.Body = ex.body
	}
	ex.writeTold(out, replay)
	cat.SetIdentity(h, ex.identity())
}

// identity is the user id that the request carries: never empty.
func (ex *exchange) identity() string {
	if ex.user == nil {
		return cat.AnonymousID
	}
	return ex.user.ID
}

// owner is who the connections to the Cat that the request may use belong to: the
// person, whose id alone another configuration could give to another person. Where the
// request is nobody's it is the client's own connection: behind one address many
// people may be.
func (ex *exchange) owner() string {
	if u := ex.user; u != nil {
		return u.Key()
	}
	return "\x00" + ex.r.RemoteAddr + "\x00" + ex.peer.ip.String() // no key of a person begins so
}

func (ex *exchange) writeTarget(out *http.Request) {
	base := ex.upstream.Base()
	out.URL.Scheme, out.URL.Host = base.Scheme, base.Host
	out.Host = base.Host
	path := ex.target.path
	if ex.decision.Route.Path != "" {
		path = ex.decision.Route.Path
	}
	out.URL.Path, out.URL.RawPath = path, ""
	if sent := encodePath(path); sent != path {
		out.URL.RawPath = sent
	}
	out.URL.RawQuery, out.URL.ForceQuery, out.URL.Fragment = ex.target.query, false, ""
}

func (ex *exchange) writePeer(h http.Header) {
	values := []string{ex.peer.scheme, ex.peer.host, ""} // one allocation for three
	h["X-Forwarded-Proto"], h["X-Forwarded-Host"] = values[0:1:1], values[1:2:2]
	if ex.peer.ip.IsValid() {
		values[2] = ex.peer.ip.String()
		h["X-Forwarded-For"] = values[2:3:3]
	}
}

// errSwitched is of a Cat that answers as if this were a handshake. Those that are
// do not come this way.
var errSwitched = errors.New("it switches protocols, which nobody has asked for")

// untraced hides from http.Transport that ReverseProxy wants the Cat's informational
// answers, to pass them on: a 103 has headers for the browser, past the list.
type untraced struct{ context.Context }

func (untraced) Value(any) any { return nil }

// roundTripper writes the Cat's credential and takes the last look.
type roundTripper struct {
	ex       *exchange
	streamed bool
}

func (rt roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ex := rt.ex
	if !ex.decision.Public {
		if err := ex.h.o.Credentials.HTTP(req.Header, ex.h.person(ex.user), ex.decision.Route); err != nil {
			return nil, err
		}
	}
	if err := cat.CheckIdentity(req.Header, ex.identity()); err != nil {
		return nil, err
	}
	if rt.streamed {
		req = req.WithContext(untraced{req.Context()})
	}
	resp, err := ex.upstream.RoundTrip(req, ex.owner(), rt.streamed)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, errors.Join(errSwitched, resp.Body.Close()) // ReverseProxy would join both connections
	}
	if len(resp.TransferEncoding) > 0 {
		// The trailers are read into the answer at the end of its body: not into this one.
		resp = &http.Response{
			Status: resp.Status, StatusCode: resp.StatusCode, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
			Header: resp.Header, Body: resp.Body, ContentLength: resp.ContentLength, TransferEncoding: resp.TransferEncoding, Request: resp.Request,
		}
	}
	return resp, nil
}

// explain turns a failed round trip into an answer. A fault of the client's own
// body is the client's; what the Cat did is ours to tell as 502.
func (ex *exchange) explain(err error) *refusal {
	switch {
	case refused(context.Cause(ex.r.Context())) != nil:
		return refuseAuthentication(context.Cause(ex.r.Context()), true)
	case ex.body != nil && ex.body.err != nil:
		return ex.body.refusal()
	case ex.telling != nil && ex.telling.Err() != nil:
		return badRequest(refusals.BadRequestBody, ex.telling.Err())
	case ex.r.Context().Err() != nil:
		ex.record.Reason = "the client left"
		return &refusal{status: 499, code: refusals.ClientLeft, public: "The client left", err: context.Cause(ex.r.Context())}
	case errors.Is(err, cat.ErrNoAccount):
		return refuseAccount(err)
	case errors.Is(err, errCatRefuses):
		return ex.refuseCredential()
	case errors.Is(err, cat.ErrNoIdentity):
		return &refusal{
			status: http.StatusInternalServerError, code: refusals.InternalError, public: "Something went wrong here",
			hint: "the operator finds the cause under the request id", err: err,
		}
	}
	ex.h.o.Cats.Doubt(ex.upstream)
	return refuseLost(fmt.Errorf("the Cat: %w", err))
}
