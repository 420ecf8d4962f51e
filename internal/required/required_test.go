package required

import "testing"

func TestParts(t *testing.T) {
	there := map[string]bool{"Store": false, "Keys": true, "Log": false}
	if err := Parts("session.Options", there); err == nil || err.Error() != "session.Options has no Log, Store" {
		t.Errorf("%v", err)
	}
	if len(there) != 3 {
		t.Error("the caller's map was changed")
	}
	if err := Parts("session.Options", map[string]bool{"Keys": true}); err != nil {
		t.Error(err)
	}
}
