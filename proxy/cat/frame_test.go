package cat

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFrameType(t *testing.T) {
	long := strings.Repeat("x", maxFrameType+1)
	for frame, want := range map[string]string{
		`{"type":"chat_token","content":"a"}`: FrameToken,
		`{"user_id":"a","when":1.5,"text":"\"type\":\"error\" {[","why":{"type":"error","l":[{"type":"x"}]},"type":"chat","content":""}`: FrameChat,
		"{ \"type\" :\n\"error\"}": FrameError,
		`{"type":7}`:               "", `{"type":"` + long + `"}`: "", `{"text":"type","x":"chat"}`: "", `["type","chat"]`: "",
		`{"a":["type","chat"],"type":"notification"}`: FrameNotification,
		``: "", `{`: "", `{"type`: "", `{"type"`: "", `{"type":`: "", `{"type":"chat`: "", `{"a\`: "",
	} {
		if got := FrameType([]byte(frame)); got != want {
			t.Errorf("%s is %q, want %q", frame, got, want)
		}
	}
	if got := FrameType(ErrorFrame("a", `b"`)); got != FrameError {
		t.Errorf("ours is %q", got)
	}
	if got := string(NotificationFrame("a")); got != `{"type":"notification","content":"a"}` {
		t.Errorf("%s", got)
	}
}

// FuzzFrameType compares with the library, as far as the frame is well-formed.
func FuzzFrameType(f *testing.F) {
	for _, seed := range []string{`{"type":"chat"}`, `{"a":{"type":"x"},"type":"error"}`, `{"a":"\\\"","type":"b"}`, `[{"type":"x"}]`, `{"a":[1,"type"],"b":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		got := FrameType(p)
		var m map[string]json.RawMessage
		if json.Unmarshal(p, &m) != nil || strings.Count(string(p), `"type"`) != 1 || strings.Contains(string(p), `\`) {
			return
		}
		var want string
		if json.Unmarshal(m["type"], &want) != nil || len(want) >= maxFrameType {
			return
		}
		if raw := strings.Trim(string(m["type"]), `"`); raw == want && got != want {
			t.Fatalf("%s is %q, want %q", p, got, want)
		}
	})
}
