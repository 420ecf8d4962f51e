package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
	"github.com/catflap/catflap/internal/loopback"
)

// graph asks Microsoft Graph in which groups somebody is whose token does not name them.
// It asks as Catflap itself (the client credentials grant), so that it works for a login
// and for any bearer token.
type graph struct {
	handler *handler
	address string

	mu    sync.Mutex // held while a token is asked for: others wait for the same one
	token string
	ends  time.Time
}

// objectID is the form of the ids of Entra ID. Nothing else gets into an address.
var objectID = regexp.MustCompile(`\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z`)

// graphHosts are Microsoft's: of the public cloud, and of the national ones.
func graphHosts() []string {
	return []string{"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"}
}

const usualGraph = "https://graph.microsoft.com"

func checkGraphURL(address string) error {
	u, err := keyset.CheckURL(address)
	switch {
	case err != nil:
		return err
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery:
		return errors.New("it has more than scheme and host")
	case !slices.Contains(graphHosts(), u.Host) && !loopback.Host(u.Hostname()):
		return errors.New("no address of Microsoft Graph")
	}
	return nil
}

// withGraph takes the groups that are elsewhere from Graph. Only the claim groups can
// be there: another one that is not in the token is missing.
func (g *graph) withGraph(ctx context.Context, m *metadata, claims strictjson.Object) (strictjson.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id := text(claims, "oid")
	if !objectID.MatchString(id) {
		return nil, tooManyGroups("the token has no oid by which Graph could be asked")
	}
	token, err := g.appToken(ctx, m)
	if err != nil {
		return nil, err
	}
	groups, err := g.ask(ctx, id, token)
	if s, ok := errors.AsType[*statusError](err); ok {
		return nil, g.explain(s, token)
	}
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string][]string{"groups": groups})
	if err != nil {
		return nil, err
	}
	more, err := strictjson.ParseObject(string(body), maxDepth)
	if err != nil {
		return nil, err
	}
	return g.handler.withGroups(claims, more)
}

// explain tells what an answer of Graph means.
func (g *graph) explain(s *statusError, token string) error {
	switch s.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		g.forget(token)
		return setup("Microsoft Graph does not let Catflap's registration read groups (GroupMember.Read.All, with an administrator's consent): %w", s)
	case http.StatusBadRequest, http.StatusNotFound:
		return tooManyGroups("Graph does not know the person, or names no more groups either: " + s.Error())
	}
	return s
}

// appToken returns Catflap's own token for Graph (RFC 6749 §4.4).
func (g *graph) appToken(ctx context.Context, m *metadata) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.handler.now()
	if g.token != "" && now.Before(g.ends) {
		return g.token, nil
	}
	got, err := g.handler.ask(ctx, m, url.Values{"grant_type": {"client_credentials"}, "scope": {g.address + "/.default"}})
	r, refused := errors.AsType[*refusal](err)
	switch {
	case refused && (r.setup() || r.ends()):
		return "", setup("the provider gives Catflap no token for Microsoft Graph: %w", err)
	case err != nil:
		return "", fmt.Errorf("a token for Microsoft Graph: %w", err)
	case got.access == "":
		return "", setup("the provider gives Catflap no token for Microsoft Graph")
	}
	g.token, g.ends = got.access, now.Add(got.lasts-time.Minute)
	return g.token, nil
}

func (g *graph) forget(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == token {
		g.token = ""
	}
}

// ask returns the ids of all groups of a person, groups within groups too. Graph names
// at most 11,000 in one answer, or none at all.
func (g *graph) ask(ctx context.Context, id, token string) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.address+"/v1.0/users/"+id+"/getMemberGroups", bytes.NewReader([]byte(`{"securityEnabledOnly":false}`)))
	if err != nil {
		return nil, errors.New("the address is not usable")
	}
	host := req.URL.Host
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := g.handler.client.Do(req)
	if err != nil {
		return nil, plain(host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{host, resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keyset.MaxDocumentBytes+1))
	switch {
	case err != nil:
		return nil, plain(host, err)
	case len(body) > keyset.MaxDocumentBytes:
		return nil, fmt.Errorf("%s: the answer is larger than 1 MiB", host)
	}
	o, err := strictjson.ParseObject(strings.TrimPrefix(string(body), "\ufeff"), maxDepth)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer is %w", host, err)
	}
	if _, more := o.Get("@odata.nextLink"); more { // a part of the groups would be too few for a deny
		return nil, tooManyGroups("Graph names the groups on several pages")
	}
	v, _ := o.Get("value")
	groups, ok := v.Strings()
	if !ok || slices.ContainsFunc(groups, func(s string) bool { return !objectID.MatchString(s) }) {
		return nil, fmt.Errorf("%s: the answer is no list of ids", host)
	}
	return groups, nil
}
