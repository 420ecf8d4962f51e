package cat

import "encoding/json"

// Question returns the text of a message to the Cat, if it has one.
func Question(message []byte) (string, bool) {
	var m struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal(message, &m) != nil || m.Text == nil {
		return "", false
	}
	return *m.Text, true
}

// AnswerTo returns the text that an answer of the Cat's is to, if it says so. A plugin
// may have rewritten that text.
func AnswerTo(frame []byte) (string, bool) {
	var m struct {
		Why struct {
			Input *string `json:"input"`
		} `json:"why"`
	}
	if json.Unmarshal(frame, &m) != nil || m.Why.Input == nil {
		return "", false
	}
	return *m.Why.Input, true
}
