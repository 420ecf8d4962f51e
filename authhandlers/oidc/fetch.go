package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

const (
	// patience bounds one question to the provider.
	patience = 10 * time.Second
	// maxDepth bounds how deeply the provider's answers may nest.
	maxDepth = 32
)

// statusError is an answer that is not 200.
type statusError struct {
	host   string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answered with status %d", e.host, e.status)
}

// refuses reports an answer that asks nobody to come later.
func (e *statusError) refuses() bool {
	return e.status >= 400 && e.status < 500 && e.status != http.StatusRequestTimeout && e.status != http.StatusTooManyRequests
}

// getObject fetches a JSON object, with a bearer token if one is given. The error
// names no part of the address but its host, and nothing of the answer.
func getObject(ctx context.Context, client *http.Client, address, bearer string) (strictjson.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	host := req.URL.Host
	req.Header.Set("Accept", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, plain(host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{host, resp.StatusCode}
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "application/jwt" {
		return nil, fmt.Errorf("%s answered with a signed or encrypted answer, which is not read here", host)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, keyset.MaxDocumentBytes+1))
	if err != nil {
		return nil, plain(host, err)
	}
	if len(text) > keyset.MaxDocumentBytes {
		return nil, fmt.Errorf("%s: the answer is larger than 1 MiB", host)
	}
	o, err := strictjson.ParseObject(string(text), maxDepth)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer is %w", host, err)
	}
	return o, nil
}

// plain takes the address out of an error of net/http.
func plain(host string, err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = of.Err
	}
	return fmt.Errorf("%s: %w", host, err)
}
