package keyset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/catflap/catflap/internal/loopback"
)

var (
	errRedirect  = errors.New("a redirect to another host")
	errRedirects = errors.New("too many redirects")
)

// fetcher gets a key set document by HTTP.
type fetcher struct {
	address *url.URL
	client  *http.Client
	timeout time.Duration
}

func newFetcher(address string, client *http.Client, timeout time.Duration) (fetcher, error) {
	u, err := CheckURL(address)
	if err != nil {
		return fetcher{}, err
	}
	if client == nil {
		return fetcher{}, errors.New("no HTTP client")
	}
	return fetcher{address: u, client: SameHost(client), timeout: timeout}, nil
}

// host names the source in logs; the rest of the address may hold a key.
func (f fetcher) host() string { return f.address.Host }

// get fetches and reads the document. The error names no part of the address
// but its host, and nothing of the answer.
func (f fetcher) get(ctx context.Context, allowed []string) (*Document, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.address.String(), nil)
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, f.plain(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered with status %d", f.host(), resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, MaxDocumentBytes+1))
	if err != nil {
		return nil, f.plain(err)
	}
	d, err := ParseDocument(text, allowed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.host(), err)
	}
	return d, nil
}

// plain takes the address out of an error of net/http.
func (f fetcher) plain(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = of.Err
	}
	return fmt.Errorf("%s: %w", f.host(), err)
}

// CheckURL reports an address from which keys are not fetched: it must be https,
// or http on the loopback interface, since somebody who can change the answer can sign
// tokens. User names, passwords and fragments have no place in it.
func CheckURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("no URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("no absolute URL")
	case u.User != nil:
		return nil, errors.New("it holds a user name or password")
	case u.Fragment != "":
		return nil, errors.New("it has a fragment")
	case u.Scheme == "https", u.Scheme == "http" && loopback.Host(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("neither https nor http on the loopback interface")
}
