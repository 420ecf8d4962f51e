package attributes_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/attributes"
)

func keysOf(t testing.TB, jwks []byte) map[string]ed25519.PublicKey {
	t.Helper()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	all := map[string]ed25519.PublicKey{}
	for _, k := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(k["x"])
		if err != nil || len(x) != ed25519.PublicKeySize || k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["alg"] != "EdDSA" || k["use"] != "sig" || len(k) != 6 {
			t.Fatalf("%v: %v", k, err)
		}
		all[k["kid"]] = x
	}
	return all
}

// TestKeys: equal secrets make equal keys, in each Catflap and after each start; all are
// published, and nothing else.
func TestKeys(t *testing.T) {
	one, err := attributes.NewKeys([][]byte{secret(1), secret(2)})
	if err != nil {
		t.Fatal(err)
	}
	again, err := attributes.NewKeys([][]byte{secret(1), secret(2)})
	if err != nil || !bytes.Equal(one.JWKS(), again.JWKS()) {
		t.Errorf("%s\n%s, %v", one.JWKS(), again.JWKS(), err)
	}
	if n := len(keysOf(t, one.JWKS())); n != 2 {
		t.Errorf("%d keys", n)
	}
	if bytes.Contains(one.JWKS(), []byte(`"d"`)) {
		t.Error("a private key is published")
	}
	own, err := attributes.OwnKeys()
	if err != nil || slices.Equal(own.JWKS(), one.JWKS()) {
		t.Error(err)
	}
	for _, bad := range [][][]byte{nil, {secret(1)[:31]}, {secret(1), nil}} {
		if _, err := attributes.NewKeys(bad); err == nil {
			t.Errorf("%d secrets are taken", len(bad))
		}
	}
}

// TestTheKeyOfAnOlderVersion: plugins know the key by its id, before an upgrade and after.
func TestTheKeyOfAnOlderVersion(t *testing.T) {
	k, err := attributes.NewKeys([][]byte{[]byte(strings.Repeat("a", 32))})
	if err != nil {
		t.Fatal(err)
	}
	const x, id = "J9R7ChuXN9Owbsv18785xfRaEqS9TJQ8wnG7mA3Eug8", "UHeZkcr3nuXsfBO5RJ3X7f2uGruJynOg0U4sTnYx46w"
	if text := string(k.JWKS()); !strings.Contains(text, `"x":"`+x+`"`) || !strings.Contains(text, `"kid":"`+id+`"`) {
		t.Error(text)
	}
}
