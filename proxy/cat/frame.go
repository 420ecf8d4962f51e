package cat

import "encoding/json"

// The types of the Cat's frames over its socket. Any other is a plugin's.
const (
	FrameChat         = "chat"         // the answer of a turn
	FrameToken        = "chat_token"   // a word of an answer
	FrameError        = "error"        // a turn that failed
	FrameNotification = "notification" // a word about what goes on
)

// maxFrameType is longer than any type that means something here.
const maxFrameType = 64

// FrameType returns the type of a frame of the Cat's, without decoding the rest of
// it; empty if there is none. The frame is taken to be well-formed, as the Cat's own are.
func FrameType(frame []byte) string {
	depth, isKey := 0, false
	for i := 0; i < len(frame); i++ {
		switch frame[i] {
		case '{', '[':
			depth++
			isKey = frame[i] == '{'
		case '}', ']':
			depth--
		case ',':
			isKey = true
		case '"':
			end := endOfText(frame, i+1)
			if depth == 1 && isKey && string(frame[i+1:end]) == "type" {
				return textAfter(frame, end+1)
			}
			isKey = false
			i = end
		}
	}
	return ""
}

// endOfText is where a text's closing quote stands, or the end.
func endOfText(frame []byte, from int) int {
	for i := from; i < len(frame); i++ {
		switch frame[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(frame)
}

// textAfter returns the text that follows a colon, if it is one and short.
func textAfter(frame []byte, from int) string {
	colon := false
	for i := from; i < len(frame); i++ {
		switch c := frame[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c == ':' && !colon:
			colon = true
		case c == '"' && colon:
			if end := endOfText(frame, i+1); end < len(frame) && end-i <= maxFrameType {
				return string(frame[i+1 : end])
			}
			return ""
		default:
			return ""
		}
	}
	return ""
}

// ErrorFrame is an error in the Cat's own form, which its clients show.
func ErrorFrame(name, description string) []byte {
	return encoded(struct {
		Type        string `json:"type"`
		Name        string `json:"name"`
		Description string `json:"description"`
	}{FrameError, name, description})
}

// NotificationFrame is a notification in the Cat's own form.
func NotificationFrame(content string) []byte {
	return encoded(struct {
		Type    string `json:"type"`
		Content string `json:"content"`
	}{FrameNotification, content})
}

// encoded is for values of texts only, of which none fails.
func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("cat: " + err.Error())
	}
	return b
}
