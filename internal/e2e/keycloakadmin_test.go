package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// jsonObject is a JSON object of Keycloak's admin interface.
type jsonObject = map[string]any

// newClient makes a copy of the realm's client catflap for this test.
func (k *keycloak) newClient() {
	k.t.Helper()
	client := k.client("catflap")
	delete(client, "id")
	k.clientID = fmt.Sprintf("catflap-%d", k.server.clients.Add(1))
	k.clientSecret = k.clientID + "-secret"
	client["clientId"], client["secret"] = k.clientID, k.clientSecret
	for _, m := range client["protocolMappers"].([]any) {
		mapper := m.(jsonObject)
		delete(mapper, "id")
		if c := mapper["config"].(jsonObject); c["included.custom.audience"] == "catflap" {
			c["included.custom.audience"] = k.clientID
		}
	}
	k.admin(http.MethodPost, "/clients", client, nil)
	plant(k.clientSecret)
}

func (k *keycloak) client(id string) jsonObject {
	k.t.Helper()
	var found []jsonObject
	k.admin(http.MethodGet, "/clients?clientId="+url.QueryEscape(id), nil, &found)
	if len(found) != 1 {
		k.t.Fatalf("%d clients are called %s", len(found), id)
	}
	return found[0]
}

// setClient changes this test's client.
func (k *keycloak) setClient(change func(client jsonObject)) {
	k.t.Helper()
	client := k.client(k.clientID)
	change(client)
	k.admin(http.MethodPut, "/clients/"+client["id"].(string), client, nil)
}

// setBackchannel says where logout tokens for this test's client go.
func (k *keycloak) setBackchannel(url string) {
	k.t.Helper()
	k.setClient(func(client jsonObject) {
		attributes := client["attributes"].(jsonObject)
		attributes["backchannel.logout.url"] = url
		attributes["backchannel.logout.session.required"] = "true"
	})
}

// newPerson makes somebody for this test alone, in the groups of the realm that are
// named (cat-admins, cat-users); the password is the name and -pw.
func (k *keycloak) newPerson(groups ...string) (user string) {
	k.t.Helper()
	user = fmt.Sprintf("person-%d", k.server.clients.Add(1))
	for i, g := range groups {
		groups[i] = "/" + strings.TrimPrefix(g, "/")
	}
	k.admin(http.MethodPost, "/users", jsonObject{
		"username": user, "enabled": true, "groups": groups, "emailVerified": true,
		"email": user + "@example.test", "firstName": user, "lastName": "Tester",
		"credentials": []jsonObject{{"type": "password", "value": user + "-pw", "temporary": false}},
	}, nil)
	return user
}

func (k *keycloak) user(name string) jsonObject {
	k.t.Helper()
	var found []jsonObject
	k.admin(http.MethodGet, "/users?exact=true&username="+url.QueryEscape(name), nil, &found)
	if len(found) != 1 {
		k.t.Fatalf("%d people are called %s", len(found), name)
	}
	return found[0]
}

// subject is what tokens name a person.
func (k *keycloak) subject(user string) string {
	k.t.Helper()
	return k.user(user)["id"].(string)
}

// leaveAll takes somebody out of all groups.
func (k *keycloak) leaveAll(user string) {
	k.t.Helper()
	id := k.subject(user)
	var groups []jsonObject
	k.admin(http.MethodGet, "/users/"+id+"/groups", nil, &groups)
	for _, g := range groups {
		k.admin(http.MethodDelete, "/users/"+id+"/groups/"+g["id"].(string), nil, nil)
	}
}

// disable locks an account: refresh and introspection fail at once. Take somebody of
// newPerson; the realm's people belong to all tests.
func (k *keycloak) disable(user string) { k.t.Helper(); k.setEnabled(user, false) }

func (k *keycloak) enable(user string) { k.t.Helper(); k.setEnabled(user, true) }

func (k *keycloak) setEnabled(name string, enabled bool) {
	k.t.Helper()
	user := k.user(name)
	user["enabled"] = enabled
	k.admin(http.MethodPut, "/users/"+user["id"].(string), user, nil)
}

// logoutUser ends all sessions of a person; Keycloak sends a logout token for each.
func (k *keycloak) logoutUser(user string) {
	k.t.Helper()
	k.admin(http.MethodPost, "/users/"+k.subject(user)+"/logout", nil, nil)
}

// rotateKeys makes a new RS256 key, which signs from now on. The old ones stay
// published, so tokens of other tests stay good.
func (k *keycloak) rotateKeys() {
	k.t.Helper()
	var realm jsonObject
	k.admin(http.MethodGet, "", nil, &realm)
	n := k.server.clients.Add(1)
	one := func(value string) []string { return []string{value} }
	k.admin(http.MethodPost, "/components", jsonObject{
		"name": fmt.Sprintf("rs256-%d", n), "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"parentId": realm["id"], "config": jsonObject{
			"priority": one(fmt.Sprint(200 + n)), "algorithm": one("RS256"), "keySize": one("2048"),
			"active": one("true"), "enabled": one("true"),
		},
	}, nil)
}

// admin asks the admin interface of the realm.
func (k *keycloak) admin(method, path string, body, into any) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	if err := k.server.ask(ctx, method, path, body, into); err != nil {
		k.t.Fatalf("keycloak: %s %s: %v", method, path, err)
	}
}

func (s *keycloakServer) ask(ctx context.Context, method, path string, body, into any) error {
	return s.askOf(ctx, method, "/"+parts.KeycloakRealm+path, body, into)
}

// askOf is ask for a path below all realms.
func (s *keycloakServer) askOf(ctx context.Context, method, path string, body, into any) error {
	token, err := s.adminToken(ctx)
	if err != nil {
		return err
	}
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.addr+"/admin/realms"+path, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if into != nil {
		return decodeAnswer(req, into)
	}
	if err := decodeAnswer(req, &struct{}{}); err != nil && !errors.Is(err, io.EOF) { // most answers are empty
		return err
	}
	return nil
}

// adminToken is good for 60 s; two thirds of that are used.
func (s *keycloakServer) adminToken(ctx context.Context) (string, error) {
	s.admin.mu.Lock()
	defer s.admin.mu.Unlock()
	if time.Now().Before(s.admin.until) {
		return s.admin.token, nil
	}
	form := url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"},
		"username": {parts.KeycloakAdmin}, "password": {parts.KeycloakAdminPassword},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+s.addr+"/realms/master/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := time.Now()
	var got tokens
	if err := decodeAnswer(req, &got); err != nil {
		return "", fmt.Errorf("administrator's token: %w", err)
	}
	s.admin.token, s.admin.until = got.Access, asked.Add(40*time.Second)
	return got.Access, nil
}
