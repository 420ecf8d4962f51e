package keyset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// fetch gets one key. The error names no part of the address but its host, and nothing
// of the answer.
func (p *perID) fetch(ctx context.Context, kid string) (*Key, error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.address+kid, nil)
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, fetcher{address: req.URL}.plain(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%s answered with status %d: %w", p.host, resp.StatusCode, errNoSuchKey)
	default:
		return nil, fmt.Errorf("%s answered with status %d", p.host, resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxSingleBytes+1))
	switch {
	case err != nil:
		return nil, fetcher{address: req.URL}.plain(err)
	case len(text) > maxSingleBytes:
		return nil, fmt.Errorf("%s: the key is larger than %d bytes", p.host, maxSingleBytes)
	}
	keys, err := ParsePEM(text, p.o.Algorithms)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.host, err)
	}
	if len(keys) != 1 {
		return nil, fmt.Errorf("%s: %d keys at the address of one", p.host, len(keys))
	}
	keys[0].id = kid
	return keys[0], nil
}
