package cat

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ownRequest is one request of Catflap's own to the Cat, for nobody in particular.
type ownRequest struct {
	method string
	at     *url.URL
	body   []byte                  // JSON, or nil
	prove  func(http.Header) error // sets a credential; nil: it goes without one
}

// send sends it, and returns what the Cat answers, of which it reads at most so many bytes.
func (r ownRequest) send(ctx context.Context, client *http.Client, most int64) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.at.String(), bytes.NewReader(r.body))
	if err != nil {
		return 0, nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	SetIdentity(req.Header, AnonymousID)
	if r.prove != nil {
		if err := r.prove(req.Header); err != nil {
			return 0, nil, err
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("the Cat can't be reached: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	answer, err = io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return 0, nil, fmt.Errorf("the Cat's answer broke off: %w", err)
	}
	return resp.StatusCode, answer, nil
}
