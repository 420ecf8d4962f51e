package proxy

import (
	"io"
	"net/http"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/refusals"
)

// Told returns what the Cat's plugins are told of somebody, signed, for the hub; empty
// where they are told nothing.
func (h *Handler) Told(u *authhandlers.AuthUserInfo) (token string, err error) {
	if h.o.Attributes == nil || u == nil {
		return "", nil
	}
	return h.o.Attributes.Token(u)
}

// bodyOfAttributes is the body of a turn with a token in it, in place of the client's own.
type bodyOfAttributes struct {
	*attributes.Reader
	io.Closer
}

// tell puts what plugins are told of the person into a request: in a header, and into the
// message of a turn, of which they do not see the headers. It returns a small body again.
func (ex *exchange) tell(replay []byte, streamed bool) ([]byte, *refusal) {
	token, err := ex.h.Told(ex.user)
	if err != nil {
		return nil, &refusal{
			status: http.StatusInternalServerError, code: refusals.InternalError, public: "Something went wrong here",
			hint: "the operator finds the cause under the request id", err: err,
		}
	}
	ex.told = token
	if token == "" || ex.decision.Route.Pattern != messageRoute {
		return replay, nil
	}
	if streamed {
		ex.telling = &bodyOfAttributes{attributes.NewReader(ex.body, token), ex.body}
		return replay, nil
	}
	if len(replay) == 0 {
		return replay, nil // the Cat has a message of its own then
	}
	if replay, err = attributes.Rewrite(replay, token); err != nil {
		return nil, badRequest(refusals.BadRequestBody, err)
	}
	return replay, nil
}

// writeTold writes the header, and takes out what described the client's body.
func (ex *exchange) writeTold(out *http.Request, replay []byte) {
	if ex.told == "" {
		return
	}
	out.Header[attributes.Header] = []string{ex.told}
	if ex.decision.Route.Pattern != messageRoute || replay == nil && ex.telling == nil {
		return
	}
	for name := range out.Header {
		if strings.HasSuffix(name, "Digest") || name == "Content-Md5" {
			delete(out.Header, name)
		}
	}
	delete(out.Header, "Content-Length")
	out.ContentLength = int64(len(replay))
	if ex.telling != nil {
		out.Body, out.ContentLength = ex.telling, -1
	}
}
