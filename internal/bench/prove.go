package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// prove sees to it that a contender does what it is measured for: the token's
// person arrives, whatever else is claimed, and nobody else does.
func (l *lab) prove(ctx context.Context, c *contender) error {
	token := l.tokens.sign("prover", nil)
	for {
		status, seen, err := l.ask(ctx, c, token)
		switch {
		case err == nil && status == http.StatusOK && (!c.judges || seen == "prover" || seen == "staff:prover"):
			return l.proveRefusals(ctx, c)
		case ctx.Err() != nil:
			return fmt.Errorf("%s: not proved: status %d, person %q, %w\n%s", c.name, status, seen, err, c.process.out)
		}
		time.Sleep(20 * time.Millisecond) // it may still be looking at the upstream
	}
}

func (l *lab) proveRefusals(ctx context.Context, c *contender) error {
	if !c.judges {
		return nil
	}
	for i, bad := range append(l.tokens.cheap(), "") {
		if i == unknownKey && c.name != "catflap" {
			continue // HAProxy knows one key and looks at no kid
		}
		if status, _, err := l.ask(ctx, c, bad); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("%s: bad token %d gets %d, %w", c.name, i, status, err)
		}
	}
	return nil
}

func (l *lab) ask(ctx context.Context, c *contender, token string) (status int, seen string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/", nil)
	if err != nil {
		return 0, "", err
	}
	req.Header["user_id"] = []string{"admin"}
	req.Header.Set("X-Bench", "1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return 0, "", err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("User-Seen"), nil
}
