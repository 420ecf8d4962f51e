package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// prover asks once and leaves no connection behind.
var prover = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// answer is what came back: the status, and the identities that the upstream saw.
type answer struct {
	status int
	seen   []string
}

// prove sees to it that a contender does what it is measured for: the token's
// person arrives, whatever else is claimed, and nobody else does.
func (l *lab) prove(ctx context.Context, c *contender) error {
	a, err := ask(ctx, c.address, l.tokens.sign("prover", nil))
	switch {
	case err != nil:
		return err
	case a.status != http.StatusOK:
		return fmt.Errorf("a good token gets %d", a.status)
	case !c.judges:
		return nil
	case !slices.Equal(a.seen, []string{"prover"}) && !slices.Equal(a.seen, []string{"staff:prover"}):
		return fmt.Errorf("the upstream saw the identities %q of a request that is prover's", a.seen)
	}
	bad := l.tokens.cheap()
	bad["a bad signature"], bad["a token missing"] = l.tokens.forged(1)[0], ""
	for why, token := range bad {
		if why == unknownKey && c.name == haproxy {
			continue // it knows one key, and looks at no kid
		}
		if a, err := ask(ctx, c.address, token); err != nil || a.status != http.StatusUnauthorized {
			return fmt.Errorf("%s gets %d, %w", why, a.status, err)
		}
	}
	return nil
}

// ask sends one request that claims to be somebody else's, in two spellings.
func ask(ctx context.Context, address, token string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return answer{}, err
	}
	req.Header["user_id"], req.Header["USER_ID"] = []string{"admin"}, []string{"root"}
	req.Header.Set(headerBench, "1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := prover.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return answer{resp.StatusCode, resp.Header.Values(headerSeen)}, err
}
