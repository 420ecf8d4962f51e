package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
)

var (
	errDocumentsWhich = errors.New("say which documents: ?id= of one, ?source= with its name, or ?all=true for all of your own")
	errDocumentsList  = errors.New("the list takes no parameters")
	errNoPoint        = errors.New("the Cat did not delete a chunk")
)

// What is known of the plugin that marks documents.
const (
	pluginActive  = "active"
	pluginMissing = "missing"
	pluginUnknown = "unknown"
)

const (
	documentsSmall = 64 << 10               // of an answer that is no search
	documentsTries = 3                      // of a search: the Cat's built-in store fails now and then
	documentsPause = 100 * time.Millisecond // between them
)

// findChunks searches at the person's Cat.
func (ex *exchange) findChunks(ctx context.Context, q cat.Chunks) (cat.Found, *refusal) {
	route, body, err := q.Request()
	if err != nil {
		return cat.Found{}, refuseDocuments(err)
	}
	for try := 1; ; try++ {
		resp, ref := ex.askCat(ctx, http.MethodPost, route, body)
		if ref != nil {
			return cat.Found{}, ref
		}
		if resp.StatusCode >= http.StatusInternalServerError && try < documentsTries && wait.For(ctx, documentsPause) == nil {
			_ = resp.Body.Close()
			continue
		}
		defer resp.Body.Close() //nolint:errcheck // nothing was written
		if resp.StatusCode != http.StatusOK {
			return cat.Found{}, ex.refuseAnswer(resp)
		}
		found, err := q.Read(resp.Body)
		if err != nil {
			return found, refuseDocuments(err)
		}
		if found.Strange > 0 {
			ex.h.o.Log.Warn("the Cat's filter let chunks pass that are not the person's; they are left out", "user", ex.user.ID, "chunks", found.Strange)
		}
		return found, nil
	}
}

// deleteChunk deletes one, by its id.
func (ex *exchange) deleteChunk(ctx context.Context, c cat.Chunk) *refusal {
	resp, ref := ex.askCat(ctx, http.MethodDelete, cat.DeleteChunk(c), nil)
	if ref != nil {
		return ref
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	answer, err := io.ReadAll(io.LimitReader(resp.Body, documentsSmall))
	switch {
	case err != nil:
		return refuseDocuments(err)
	case cat.DeletedPoint(resp.StatusCode, answer):
		return nil
	case cat.IsRefusal(answer):
		return ex.refuseCredential()
	}
	return refuseDocuments(fmt.Errorf("%w: it answers %d", errNoPoint, resp.StatusCode))
}

// documentsPlugin asks the plugin whether it is there.
func (ex *exchange) documentsPlugin(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, documentsTime/5)
	defer cancel()
	resp, ref := ex.askCat(ctx, http.MethodGet, cat.DocumentsState(), nil)
	if ref != nil {
		return pluginUnknown
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	answer, err := io.ReadAll(io.LimitReader(resp.Body, documentsSmall))
	switch {
	case err == nil && cat.KeepsDocuments(resp.StatusCode, answer):
		return pluginActive
	case resp.StatusCode == http.StatusNotFound:
		return pluginMissing
	}
	return pluginUnknown
}

// askCat sends a request of Catflap's own, as nobody. Its connection is the person's all
// the same: what comes back is theirs.
func (ex *exchange) askCat(ctx context.Context, method string, route cat.Route, body []byte) (*http.Response, *refusal) {
	req, err := http.NewRequestWithContext(ctx, method, route.URL(ex.upstream.Base()).String(), bytes.NewReader(body))
	if err != nil {
		return nil, refuseDocuments(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	cat.SetIdentity(req.Header, cat.AnonymousID)
	if route.Needs != cat.None {
		if err := ex.h.o.Credentials.HTTP(req.Header, cat.Nobody(), route); err != nil {
			return nil, ex.explain(err)
		}
	}
	if err := cat.CheckIdentity(req.Header, cat.AnonymousID); err != nil {
		return nil, ex.explain(err)
	}
	resp, err := ex.upstream.RoundTrip(req, ex.owner(), false)
	if err != nil {
		return nil, ex.explain(err)
	}
	return resp, nil
}

// refuseAnswer answers for a Cat that has not searched.
func (ex *exchange) refuseAnswer(resp *http.Response) *refusal {
	begun, err := io.ReadAll(io.LimitReader(resp.Body, documentsSmall))
	if err == nil && resp.StatusCode == http.StatusForbidden && cat.IsRefusal(begun) {
		return ex.refuseCredential()
	}
	return refuseDocuments(fmt.Errorf("the Cat answers %d to a recall", resp.StatusCode))
}

func refuseDocuments(err error) *refusal {
	return &refusal{
		status: http.StatusBadGateway, code: refusals.DocumentsUnavailable, public: "Your documents can't be looked up at the moment", rule: "cat",
		hint: "try again; the operator finds the cause under the request id", err: err, retry: 5,
	}
}
