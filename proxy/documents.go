package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/refusals"
)

// documentsPage lists and deletes the documents that a person has uploaded, since the
// Cat's own endpoints show and delete everybody's.
const documentsPage = PagePrefix + "documents"

// documentsTime bounds an answer of that page. A deletion goes on with the next request.
const documentsTime = 25 * time.Second

// documentAnswer is one document of the person's own.
type documentAnswer struct {
	ID         string     `json:"id"`
	Source     string     `json:"source"`
	Folder     string     `json:"folder"`
	Group      string     `json:"group,omitempty"`
	Chunks     int        `json:"chunks,omitempty"`
	UploadedAt *time.Time `json:"uploaded_at,omitempty"`
}

// documentsAnswer is the answer to both methods. Complete means that there are no other
// documents, or that none of those that were to be deleted is left.
type documentsAnswer struct {
	Documents []documentAnswer `json:"documents,omitzero"`
	Deleted   *deletedAnswer   `json:"deleted,omitempty"`
	Complete  bool             `json:"complete"`
	Plugin    string           `json:"plugin"`
	Hint      string           `json:"hint,omitempty"`
}

type deletedAnswer struct {
	Documents int `json:"documents"`
	Chunks    int `json:"chunks"`
}

// serveDocuments answers about the person's own documents. Whose they are says the mark
// that a plugin has written at the upload; each is looked at here once more.
func (ex *exchange) serveDocuments() *refusal {
	ex.record.Route = "GET " + documentsPage
	switch ex.r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodDelete:
		ex.record.Route = "DELETE " + documentsPage
	default:
		return methodRefusal("GET, HEAD, DELETE")
	}
	if err := ex.h.o.Cats.Shut(); err != nil {
		return refuseNotReady(err)
	}
	if ref := ex.authenticate(); ref != nil {
		return ref
	}
	if ex.user == nil {
		return refuseAuthentication(&authhandlers.Rejection{Code: authhandlers.CodeMissingCredential, Hint: "sign in, or send a token"}, false)
	}
	if ref := ex.authoriseDocuments(); ref != nil {
		return ref
	}
	if ref := ex.chooseCat(); ref != nil {
		return ref
	}
	if ref := ex.enterAsPerson(ex.user); ref != nil {
		return ref
	}
	ctx, cancel := context.WithTimeout(ex.r.Context(), documentsTime)
	defer cancel()
	if ex.r.Method == http.MethodDelete {
		return ex.deleteDocuments(ctx)
	}
	return ex.listDocuments(ctx)
}

// authoriseDocuments asks the policy. Like a person's conversation, their documents are
// their own data: the base set is enough, and what is denied there is denied here.
func (ex *exchange) authoriseDocuments() *refusal {
	if ref := ex.ensureUser(); ref != nil {
		return ref
	}
	t := permission.Target{Method: ex.r.Method, Path: "/memory/conversation_history"}
	t.Route, t.Known = ex.h.o.Contract.Route(t.Method, t.Path)
	t.Route.Pattern = ex.record.Route
	ex.decision = ex.h.o.Policy.Decide(ex.user, t)
	if !ex.decision.Allow {
		return ex.refusePermission(ex.decision)
	}
	ex.noteDecision()
	return nil
}

func (ex *exchange) listDocuments(ctx context.Context) *refusal {
	if ex.target.query != "" {
		return badRequest(refusals.BadRequestTarget, errDocumentsList)
	}
	found, ref := ex.findChunks(ctx, cat.Chunks{Owner: ex.user.ID, First: true})
	if ref != nil {
		return ref
	}
	a := documentsAnswer{Documents: make([]documentAnswer, 0, len(found.Chunks)), Complete: found.All}
	for _, c := range found.Chunks {
		d := documentAnswer{ID: c.Document, Source: c.Source, Folder: "own", Group: c.Group, Chunks: c.Of}
		if c.Group != "" {
			d.Folder = "group"
		}
		if !c.When.IsZero() {
			when := c.When.Truncate(time.Second)
			d.UploadedAt = &when
		}
		a.Documents = append(a.Documents, d)
	}
	return ex.answerDocuments(ctx, a)
}

// answerDocuments says also whether a plugin marks documents at all.
func (ex *exchange) answerDocuments(ctx context.Context, a documentsAnswer) *refusal {
	a.Plugin = ex.documentsPlugin(ctx)
	switch {
	case a.Plugin == pluginMissing:
		a.Hint = "the plugin that keeps documents apart is not active at the Cat: what is uploaded now is everybody's, and stands in no such list"
	case !a.Complete && a.Deleted != nil:
		a.Hint = "some are left: send the request again"
	case !a.Complete:
		a.Hint = "there are more documents than are listed"
	}
	return ex.answerJSON(a)
}

// readDocumentsQuery reads which documents are to be deleted: exactly one parameter
// says so, so that none is deleted by a misspelt one.
func readDocumentsQuery(raw, owner string) (cat.Chunks, error) {
	q := cat.Chunks{Owner: owner}
	values, err := url.ParseQuery(raw)
	if err != nil || len(values) != 1 {
		return q, errDocumentsWhich
	}
	for name, list := range values {
		if len(list) != 1 {
			return q, errDocumentsWhich
		}
		switch {
		case name == "id" && cat.IsDocumentID(list[0]):
			q.Document = list[0]
		case name == "source" && cat.IsDocumentSource(list[0]):
			q.Source = list[0]
		case name == "all" && list[0] == "true":
		default:
			return q, errDocumentsWhich
		}
	}
	return q, nil
}

// deleteDocuments deletes chunk by chunk what was verified, never by a filter of the
// Cat's. The first chunk of a document, by which it is listed, goes last.
func (ex *exchange) deleteDocuments(ctx context.Context) *refusal {
	q, err := readDocumentsQuery(ex.target.query, ex.user.ID)
	if err != nil {
		return badRequest(refusals.BadRequestTarget, err)
	}
	d := deletion{ex: ex, ctx: ctx, query: q, documents: map[string]bool{}}
	ref := d.run()
	if ref != nil && d.chunks == 0 {
		return ref
	}
	ex.record.Reason = fmt.Sprintf("deleted %d documents, %d chunks", len(d.documents), d.chunks)
	if ref != nil {
		ex.record.Err = ref.err
	}
	return ex.answerDocuments(context.WithoutCancel(ctx), documentsAnswer{
		Deleted: &deletedAnswer{len(d.documents), d.chunks}, Complete: ref == nil && d.complete,
	})
}

// deletion is one request to delete.
type deletion struct {
	ex        *exchange
	ctx       context.Context
	query     cat.Chunks
	documents map[string]bool // of which something was deleted
	chunks    int
	complete  bool
}

// run deletes until nothing is found any more. Each round deletes something.
func (d *deletion) run() *refusal {
	for {
		found, ref := d.ex.findChunks(d.ctx, d.query)
		if ref != nil {
			return ref
		}
		before := d.chunks
		if ref := d.delete(found.Chunks, false); ref != nil {
			return ref
		}
		if found.All || d.chunks == before { // else a later round finds the first ones
			if ref := d.delete(found.Chunks, true); ref != nil {
				return ref
			}
		}
		if d.chunks == before {
			d.complete = found.All
			return nil
		}
	}
}

// delete deletes those that are the first of their document, or the others.
func (d *deletion) delete(chunks []cat.Chunk, first bool) *refusal {
	for _, c := range chunks {
		if c.First != first {
			continue
		}
		if ref := d.ex.deleteChunk(d.ctx, c); ref != nil {
			return ref
		}
		d.chunks++
		d.documents[c.Document] = true
	}
	return nil
}
