package examples

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestCatUserExample: somebody with an account at the Cat gets a token with name and
// password, and is who they have always been there.
func TestCatUserExample(t *testing.T) {
	s := serve(t, example{binary, []string{"run", "--config", configPath}, []string{"CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID", "CAT_ADMIN_ACCOUNT_ID"}, read(t, "handlers/catuser.catflap.yaml")})
	s.cat.AddAccount("carla", "carla's password", standin.BasePermissions())
	login := func(password string) (status int, token string) {
		body, _ := json.Marshal(map[string]string{"username": "carla", "password": password})
		resp, err := http.Post(s.url+"/auth/token", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var given struct {
			Token string `json:"access_token"`
		}
		_ = json.NewDecoder(resp.Body).Decode(&given)
		return resp.StatusCode, given.Token
	}
	if status, token := login("wrong"); status != http.StatusForbidden || token != "" {
		t.Errorf("a wrong password: %d", status)
	}
	_, token := login("carla's password")
	if status, user := s.get(t, token); status != http.StatusOK || user != "carla" {
		t.Errorf("carla: %d, at the Cat %q", status, user)
	}
	if status, user := s.get(t, s.issuer.Token("carla")); status != http.StatusOK || user != "staff:carla" {
		t.Errorf("carla of the provider: %d, at the Cat %q", status, user)
	}
}
