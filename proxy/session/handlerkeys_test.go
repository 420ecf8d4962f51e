package session

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestHandlerKeys(t *testing.T) {
	secret := []byte(strings.Repeat("a", 32))
	own, err := HandlerKeys([][]byte{secret}, "guests")
	if err != nil || len(own) != 1 || hex.EncodeToString(own[0]) != "6c4f790b37992a6cd88b2eaf1d8adb8a8232c573cfcad1da9294aaeac7ad5416" {
		t.Errorf("%x, %v", own, err)
	}
	if own, err := HandlerKeys(nil, "guests"); err != nil || len(own) != 0 {
		t.Errorf("without keys: %x, %v", own, err)
	}
	if _, err := HandlerKeys([][]byte{secret, secret[1:]}, "guests"); err == nil || err.Error() != "session: key 1 has 31 bytes; it needs at least 32" {
		t.Errorf("a short key: %v", err)
	}
}
