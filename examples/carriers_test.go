package examples

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// TestCarrierExamples runs each example of a proxy in front with its tokens, where that
// proxy puts them.
func TestCarrierExamples(t *testing.T) {
	for _, c := range []struct {
		file, header, audience string
	}{
		{"handlers/cloudflare.catflap.yaml", "Cf-Access-Jwt-Assertion", strings.Repeat("0123456789abcdef", 4)},
		{"handlers/iap.catflap.yaml", "X-Goog-Iap-Jwt-Assertion", "/projects/123456789012/global/backendServices/1234567890123456789"},
	} {
		t.Run(c.file, func(t *testing.T) {
			s := serve(t, example{binary, []string{"run", "--config", configPath}, minted(), read(t, c.file)})
			stranger, err := issuer.NewKey("es256", "ES256")
			if err != nil {
				t.Fatal(err)
			}
			token := s.issuer.Token("alice", issuer.Claim("aud", []string{c.audience}), issuer.Header("typ", "JWT"))
			s.mustServeIn(t, c.header, token)
			forged := s.issuer.Token("alice", issuer.ForgedBy(stranger), issuer.Claim("aud", []string{c.audience}))
			if status, user := s.getWith(t, c.header, forged); status != http.StatusUnauthorized || user != "" {
				t.Errorf("a forged token: %d, at the Cat %q", status, user)
			}
		})
	}
}

func TestTheLoadBalancerExample(t *testing.T) {
	s := serve(t, example{binary, []string{"run", "--config", configPath}, minted(), read(t, "handlers/alb.catflap.yaml")})
	key, err := issuer.NewKey("0a1b2c3d-0000-4000-8000-00000000000a", "ES256")
	if err != nil {
		t.Fatal(err)
	}
	s.issuer.Handle("GET /pem/"+key.ID, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(key.PEM()) })
	exp := time.Now().Add(2 * time.Minute).Unix()
	token := issuer.SignPadded(key, map[string]any{
		"typ": "JWT", "alg": "ES256", "kid": key.ID, "client": "the-albs-client-id", "exp": exp,
		"signer": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188",
	}, map[string]any{"iss": s.issuer.URL(), "sub": "alice", "exp": exp})
	s.mustServeIn(t, "X-Amzn-Oidc-Data", token)
}

// mustServeIn is mustServe for a token in a header of its own, and nowhere else.
func (s served) mustServeIn(t *testing.T, header, token string) {
	t.Helper()
	if status, user := s.getWith(t, header, token); status != http.StatusOK || user != "edge:alice" {
		t.Errorf("alice: %d, at the Cat %q", status, user)
	}
	if status, user := s.getWith(t, "", ""); status != http.StatusUnauthorized || user != "" {
		t.Errorf("a stranger: %d, at the Cat %q", status, user)
	}
	if status, user := s.get(t, token); status != http.StatusUnauthorized && status != http.StatusBadRequest || user != "" {
		t.Errorf("the token elsewhere: %d, at the Cat %q", status, user)
	}
}

// minted are the variables of an example with one service account.
func minted() []string { return []string{"CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID"} }
