package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"
)

// exchange is one request and its answer.
type exchange struct {
	cat     *Cat
	w       http.ResponseWriter
	r       *http.Request
	head    []Header          // as they arrived
	path    string            // decoded once
	params  map[string]string // of the path
	upgrade bool

	body   []byte // read by enter
	value  any    // of a JSON body
	unread bool   // a body that was sent as something else than JSON

	caller  caller
	session *session // once somebody is let in
	status  int
	seen    *Request
}

func (c *Cat) exchangeOf(w http.ResponseWriter, r *http.Request) *exchange {
	e := &exchange{
		cat:     c,
		w:       w,
		r:       r,
		head:    headOf(r),
		path:    strings.ToValidUTF8(r.URL.Path, "\uFFFD"),
		upgrade: websocket.IsWebSocketUpgrade(r),
	}
	e.seen = c.seen.begin(e)
	return e
}

// header is the first value of a header as the Cat reads it: leading white space
// is gone, white space at the end is not, and each byte is one latin-1 letter.
func (e *exchange) header(name string) (string, bool) {
	for _, h := range e.head {
		if strings.EqualFold(h.Name, name) {
			return latin1(h.Value), true
		}
	}
	return "", false
}

func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// readBody reads the body as the endpoint wants it. It reports false when it has
// answered already.
func (e *exchange) readBody(kind bodyKind) bool {
	if kind == noBody {
		return true
	}
	if kind == formBody && !e.isForm() {
		return true // the Cat leaves it and misses the fields
	}
	body, err := io.ReadAll(e.r.Body)
	if err != nil {
		e.detail(http.StatusBadRequest, "There was an error parsing the body")
		return false
	}
	e.body = body
	if kind == formBody || len(body) == 0 {
		return true
	}
	if !e.isJSON() {
		e.unread = true
		return true
	}
	if e.value, err = decode(body); err != nil {
		e.invalid(badJSON(err))
		return false
	}
	return true
}

func (e *exchange) isJSON() bool {
	ct := e.r.Header.Get("Content-Type")
	if ct == "" {
		return true
	}
	kind, _, _ := mime.ParseMediaType(ct)
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

func (e *exchange) isForm() bool {
	kind, _, _ := mime.ParseMediaType(e.r.Header.Get("Content-Type"))
	return kind == "multipart/form-data" || kind == "application/x-www-form-urlencoded"
}

// badSyntax is where a body stops being JSON.
type badSyntax struct {
	at   int64
	text string
}

func (b badSyntax) Error() string { return b.text }

// decode reads exactly one JSON value.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && syntax.Offset > 0 && syntax.Offset <= int64(len(b)) {
			return nil, badSyntax{syntax.Offset - 1, "Expecting value"}
		}
		return nil, badSyntax{int64(len(b)), "Expecting value"}
	}
	at := d.InputOffset()
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, badSyntax{at, "Extra data"}
	}
	return v, nil
}

// problem is one entry of a 400.
func problem(kind, msg string, input any, loc ...any) object {
	return object{{"type", kind}, {"loc", loc}, {"msg", msg}, {"input", input}}
}

func badJSON(err error) object {
	var bad badSyntax
	errors.As(err, &bad)
	return append(problem("json_invalid", "JSON decode error", object{}, "body", bad.at),
		field{"ctx", object{{"error", bad.text}}})
}

// json answers with a value.
func (e *exchange) json(status int, v any) {
	b, err := marshal(v)
	if err != nil {
		e.fault()
		return
	}
	e.write(status, "application/json", b)
}

// detail answers with the Cat's error object.
func (e *exchange) detail(status int, detail any) {
	e.json(status, object{{"detail", detail}})
}

// wrong answers with {"detail":{"error":text}}.
func (e *exchange) wrong(status int, text string) {
	e.detail(status, object{{"error", text}})
}

// refuse is the one answer to a credential that is missing, wrong or too weak.
func (e *exchange) refuse() { e.wrong(http.StatusForbidden, "Invalid Credentials") }

// invalid is the answer to a request of the wrong shape.
func (e *exchange) invalid(problems ...object) {
	e.json(http.StatusBadRequest, object{{"error", problems}})
}

func (e *exchange) redirect(status int, to string) {
	e.w.Header().Set("Location", to)
	e.write(status, "", nil)
}

// write answers; the session is kept just before a good answer is sent.
func (e *exchange) write(status int, contentType string, body []byte) {
	if e.session != nil && status < http.StatusBadRequest {
		e.cat.keep(e.caller.user, e.session)
	}
	e.crossOrigin()
	e.status = status
	h := e.w.Header()
	if contentType == "" {
		h["Content-Type"] = nil // none, and none guessed
	} else {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	e.w.WriteHeader(status)
	e.w.Write(body)
}

// fault is the Cat's 500: plain text, no cross-origin headers, and the connection
// is closed right after it without a word about that in the headers.
func (e *exchange) fault() {
	e.status = http.StatusInternalServerError
	const text = "Internal Server Error"
	h := e.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(len(text)))
	if e.r.Close {
		h.Set("Connection", "close")
	}
	hijacker, ok := e.w.(http.Hijacker)
	if ok {
		if conn, buffered, err := hijacker.Hijack(); err == nil {
			defer conn.Close()
			fmt.Fprintf(buffered, "HTTP/1.1 500 %s\r\nDate: %s\r\n", text, e.cat.options.Now().UTC().Format(http.TimeFormat))
			h.Write(buffered)
			io.WriteString(buffered, "\r\n"+text)
			buffered.Flush()
			return
		}
	}
	e.w.WriteHeader(http.StatusInternalServerError)
	io.WriteString(e.w, text)
}

// base is scheme and host as the Cat puts them in a Location: the Host header as
// it came, and X-Forwarded-Proto from 127.0.0.1 alone.
func (e *exchange) base() string {
	scheme := "http"
	peer, _, _ := net.SplitHostPort(e.r.RemoteAddr)
	if proto, ok := e.header("X-Forwarded-Proto"); ok && peer == "127.0.0.1" {
		scheme = strings.TrimSpace(proto)
	}
	return scheme + "://" + e.r.Host
}
