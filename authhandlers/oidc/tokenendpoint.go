package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// grant is what the token endpoint gave. Some providers give no access token to a
// client that asks for none of their own (Azure AD B2C).
type grant struct {
	access, refresh, id string
	lasts               time.Duration // 0: it does not say
}

// ask sends a form to the token endpoint (RFC 6749 §3.2). The error is a *refusal, or
// names no part of the address but its host, and nothing of the answer.
//
// x/oauth2 wants an access token, knows whole seconds alone, and reads an answer by
// the type that a provider has put over it.
func (h *handler) ask(ctx context.Context, m *metadata, form url.Values) (*grant, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := h.tokenRequest(ctx, m, form)
	if err != nil {
		return nil, err
	}
	host := req.URL.Host
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, plain(host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, keyset.MaxDocumentBytes+1))
	if err != nil {
		return nil, plain(host, err)
	}
	if len(body) > keyset.MaxDocumentBytes {
		return nil, fmt.Errorf("%s: the answer is larger than 1 MiB", host)
	}
	good := resp.StatusCode >= 200 && resp.StatusCode < 300
	o, err := strictjson.ParseObject(strings.TrimPrefix(string(body), "\ufeff"), maxDepth)
	if _, said := o.Get("error"); !good || said {
		return nil, &refusal{status: resp.StatusCode, code: text(o, "error")}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the answer is %w", host, err)
	}
	return readGrant(o)
}

// tokenRequest says who we are in the way that is configured (RFC 6749 §2.3.1). A
// public client says it in the form (§3.2.1).
func (h *handler) tokenRequest(ctx context.Context, m *metadata, form url.Values) (*http.Request, error) {
	header := h.secret != "" && (h.tokenAuth == "basic" || h.tokenAuth == "" && !m.postOnly)
	if !header {
		form.Set("client_id", h.clientID)
		if h.secret != "" {
			form.Set("client_secret", h.secret)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.token, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if header {
		req.SetBasicAuth(url.QueryEscape(h.clientID), url.QueryEscape(h.secret))
	}
	return req, nil
}

// readGrant reads RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3.
func readGrant(o strictjson.Object) (*grant, error) {
	g := &grant{}
	for _, m := range []struct {
		name string
		to   *string
	}{{"access_token", &g.access}, {"refresh_token", &g.refresh}, {"id_token", &g.id}} {
		v, ok := o.Get(m.name)
		if !ok || v.Text() == "null" {
			continue
		}
		if *m.to, ok = v.Str(); !ok {
			return nil, setup("the provider sent an %s that is no text", m.name)
		}
	}
	g.lasts = lasts(o)
	return g, nil
}

// lasts reads expires_in: seconds, which some providers write as a text or with a
// fraction. What is no number says nothing.
func lasts(o strictjson.Object) time.Duration {
	v, _ := o.Get("expires_in")
	seconds, ok := v.Number()
	if text, isText := v.Str(); isText {
		var err error
		seconds, err = strconv.ParseFloat(text, 64)
		ok = err == nil
	}
	if !ok || math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, 1<<31) * float64(time.Second))
}
