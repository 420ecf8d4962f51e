package cattest_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/catflap/catflap/proxy/cat/cattest"
)

// TestRealCat puts the suite to the Cat that the environment names.
func TestRealCat(t *testing.T) {
	url := os.Getenv("CATFLAP_TEST_CAT_URL")
	if url == "" {
		t.Skip("CATFLAP_TEST_CAT_URL names no Cat")
	}
	resp, err := http.Get(url + "/custom/ping")
	if err != nil {
		t.Fatalf("the Cat does not answer: %v", err)
	}
	resp.Body.Close()
	guarded, err := http.Get(url + "/custom/rights")
	if err != nil {
		t.Fatalf("the Cat does not answer: %v", err)
	}
	guarded.Body.Close()
	lab := resp.StatusCode == http.StatusOK
	cattest.Run(t, cattest.Target{
		URL:       url,
		APIKey:    os.Getenv("CATFLAP_TEST_CAT_API_KEY"),
		APIKeyWS:  os.Getenv("CATFLAP_TEST_CAT_API_KEY_WS"),
		JWTSecret: os.Getenv("CATFLAP_TEST_CAT_JWT_SECRET"),
		Echoes:    lab,
		Plugin:    lab,
		Rights:    guarded.StatusCode != http.StatusNotFound,
		MayWipe:   os.Getenv("CATFLAP_TEST_CAT_MAY_WIPE") == "1",
	})
}
