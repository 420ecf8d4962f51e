package inquiry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// maxDepth bounds how deeply an answer may nest.
const maxDepth = 32

// Reply is the answer of a service to one question.
type Reply struct {
	Status int
	Header http.Header
	host   string
	body   string
}

// Client returns a client like this one that follows no redirect: what a question holds
// is for the named address alone.
func Client(c *http.Client) *http.Client {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Send puts a question. The error names no part of the address but its host, and nothing
// of question and answer.
func Send(ctx context.Context, client *http.Client, req *http.Request) (*Reply, error) {
	host := req.URL.Host
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req.WithContext(ctx)) //nolint:gosec // the address is the operator's
	if err != nil {
		return nil, plain(host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(resp.Body, keyset.MaxAnsweredBytes+1))
	if err != nil {
		return nil, plain(host, err)
	}
	if len(text) > keyset.MaxAnsweredBytes {
		return nil, fmt.Errorf("%s: the answer is larger than %d KiB", host, keyset.MaxAnsweredBytes>>10)
	}
	return &Reply{Status: resp.StatusCode, Header: resp.Header, host: host, body: string(text)}, nil
}

// Failed is the fault that another status than a good one is. Those that no waiting mends
// wrap authhandlers.ErrSetup.
func (r *Reply) Failed(why string) error {
	err := fmt.Errorf("%s answered with status %d%s", r.host, r.Status, why)
	if r.Status < 300 || r.Status >= 500 || r.Status == http.StatusRequestTimeout || r.Status == http.StatusTooManyRequests {
		return err
	}
	return Setup(err)
}

// Object reads the answer, which must be a JSON object and say so.
func (r *Reply) Object() (strictjson.Object, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && (kind == "application/jwt" || strings.HasSuffix(kind, "+jwt")):
		return nil, Setup(fmt.Errorf("%s answered with a signed answer (RFC 9701), which is not read here; have it answer with plain JSON", r.host))
	case err != nil || kind != "application/json":
		return nil, Setup(fmt.Errorf("%s answered with something else than application/json", r.host))
	}
	o, err := strictjson.ParseObject(r.body, maxDepth)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer is %w", r.host, err)
	}
	return o, nil
}

// Setup marks a fault that stays until somebody changes something.
func Setup(err error) error { return fmt.Errorf("%w: %w", authhandlers.ErrSetup, err) }

// plain takes the address out of an error of net/http.
func plain(host string, err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = of.Err
	}
	return fmt.Errorf("%s: %w", host, err)
}

// CheckURL reports an address that is not asked: it must be https, or http on the loopback
// interface, unless plain is allowed by name.
func CheckURL(address string, plain bool) error {
	_, err := keyset.CheckURL(address)
	scheme, rest, ok := strings.Cut(address, "://")
	if err != nil && plain && ok && strings.EqualFold(scheme, "http") {
		_, err = keyset.CheckURL("https://" + rest) // all that it must be but for TLS
	}
	return err
}
