package proxy

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// edge takes names from a header of its own, as tokens does from the credential.
type edge struct{ header string }

func (e edge) Presented(r *http.Request) (*authhandlers.Credential, error) {
	switch lines := r.Header[e.header]; len(lines) {
	case 0:
		return nil, nil //nolint:nilnil // there is none
	case 1:
		return &authhandlers.Credential{Scheme: "bearer", Value: lines[0], Carrier: authhandlers.Carrier("header " + e.header)}, nil
	}
	return nil, errTwoCredentials
}

func (e edge) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	c, err := e.Presented(r.HTTP)
	if c == nil || err != nil {
		return nil, authhandlers.ErrNoCredential
	}
	return tokens{}.Authenticate(ctx, &authhandlers.Request{Credential: c})
}

func (edge) Ambient(*authhandlers.Request) bool { return true }

func edgeLab(t *testing.T) *lab {
	return newLab(t, func(o *Options) {
		var err error
		o.PublicURL = "https://chat.example"
		o.Chain, err = authhandlers.NewChain(time.Now,
			authhandlers.Link{Name: "edge", Alias: "edge", Handler: edge{"X-Edge"}, Headers: []string{"x-edge"}},
			authhandlers.Link{Name: "other", Alias: "other", Handler: edge{"X-Other"}, Headers: []string{"X-Other"}},
			authhandlers.Link{Name: "staff", Alias: "staff", Handler: tokens{}})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestCarriedCredentials: a credential in a handler's own carrier is one credential of
// the request: it decides, is the only one, is named in the record, and never arrives.
func TestCarriedCredentials(t *testing.T) {
	type h = http.Header
	for _, c := range []struct {
		name    string
		path    string
		h       h
		status  int
		user    string
		code    string
		carrier string
	}{
		{"the carrier's person", "/", h{"X-Edge": {"alice"}}, 200, "edge:alice", "", "header X-Edge"},
		{"the usual carrier's", "/", h{"Authorization": {"Bearer alice"}}, 200, "staff:alice", "", "authorization"},
		{"equal copies", "/", h{"X-Edge": {"alice"}, "Authorization": {"Bearer alice"}}, 200, "edge:alice", "", "authorization"},
		{"two different ones", "/", h{"X-Edge": {"alice"}, "Authorization": {"Bearer bob"}}, 400, "", "bad_credential", ""},
		{"two different ones, by the old header", "/", h{"X-Edge": {"alice"}, "Access_token": {"bob"}}, 400, "", "bad_credential", ""},
		{"two different carriers", "/", h{"X-Edge": {"alice"}, "X-Other": {"bob"}}, 400, "", "bad_credential", ""},
		{"equal ones in two carriers", "/", h{"X-Edge": {"alice"}, "X-Other": {"alice"}}, 200, "edge:alice", "", "header X-Edge"},
		{"twice", "/", h{"X-Edge": {"alice", "alice"}}, 400, "", "bad_credential", ""},
		{"bad beside nothing", "/", h{"X-Edge": {"forged"}}, 401, "", "bad_signature", "header X-Edge"},
		{"nobody's", "/", h{"X-Edge": {"opaque"}}, 401, "", "unknown_credential", "header X-Edge"},
		{"bad, on a public endpoint", "/custom/public/x", h{"X-Edge": {"forged"}}, 401, "", "bad_signature", "header X-Edge"},
		{"nobody's, on a public endpoint", "/custom/public/x", h{"X-Edge": {"opaque"}}, 401, "", "unknown_credential", "header X-Edge"},
		{"beside a front proxy's Basic", "/", h{"X-Edge": {"alice"}, "Authorization": {"Basic dTpw"}}, 200, "edge:alice", "", "header X-Edge"},
		{"bad beside Basic", "/", h{"X-Edge": {"opaque"}, "Authorization": {"Basic dTpw"}}, 401, "", "unknown_credential", "header X-Edge"},
		{"for another site's page", "/", h{"X-Edge": {"alice"}, "Origin": {"https://evil.example"}}, 403, "edge:alice", "cross_site_request", "header X-Edge"},
		{"in another spelling", "/", h{"x_edge": {"alice"}}, 401, "", "missing_credential", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := edgeLab(t)
			path := c.path
			if path == "/" {
				path = "/memory/conversation_history"
			}
			req := l.request(t, "GET", path, "", "")
			req.Host = "chat.example"
			maps.Copy(req.Header, c.h)
			resp, body := l.send(t, req)
			rec := l.record(t, 1)
			if resp.StatusCode != c.status || rec.User != c.user || string(rec.Code) != c.code || string(rec.Carrier) != c.carrier {
				t.Fatalf("%d %s %q %q %q", resp.StatusCode, body, rec.User, rec.Code, rec.Carrier)
			}
			if strings.Contains(body, "forged") || strings.Contains(body, "opaque") {
				t.Errorf("the answer shows it: %s", body)
			}
			if c.status != 200 {
				if l.cat.count() != 0 {
					t.Error("it reached the Cat")
				}
				return
			}
			for name := range l.cat.last(t).Header {
				if folded := fold(name); folded == "x_edge" || folded == "x_other" {
					t.Errorf("%s reached the Cat", name)
				}
			}
			vary := strings.Join(resp.Header.Values("Vary"), ", ")
			if !strings.Contains(vary, "X-Edge") || !strings.Contains(vary, "Authorization") {
				t.Errorf("Vary: %s", vary)
			}
		})
	}
}

// TestCarriersOfOtherOrigins: a listed page may send a handler's header.
func TestCarriersOfOtherOrigins(t *testing.T) {
	l := edgeLab(t)
	req := l.request(t, http.MethodOptions, "/message", "", "")
	req.Header.Set("Origin", "https://app.example.com")
	req.Header.Set("Access-Control-Request-Method", "POST")
	resp, _ := l.send(t, req)
	if allowed := strings.Split(resp.Header.Get("Access-Control-Allow-Headers"), ", "); !slices.Contains(allowed, "X-Edge") {
		t.Errorf("%q", allowed)
	}
}
