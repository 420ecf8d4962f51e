package chat

import (
	"hash/fnv"
	"slices"

	"github.com/catflap/catflap/proxy/cat"
)

// longQuestion is how long a message may be for its text to be remembered.
const longQuestion = 64 << 10

// owed is a turn that was running when its socket was replaced. The Cat gives the answer
// to the socket that the person has when the turn ends.
type owed struct {
	turn
	told bool // its sender knows that the answer may be lost
	late bool // nothing waits for it any more
	// asker is somebody else, that the Cat takes for the same person: by another issuer,
	// under the same id. Its answer is told to nobody. nil: the person's own.
	asker *person
}

// others reports a turn of somebody else's among these that is waited for.
func others(list []owed) bool {
	return slices.ContainsFunc(list, func(o owed) bool { return o.asker != nil && !o.late })
}

// asOwed are the turns that the Cat answers.
func asOwed(list []turn) []owed {
	var o []owed
	for _, t := range list {
		if t.answers {
			o = append(o, owed{turn: t})
		}
	}
	return o
}

// unaskedOf are those that it does not.
func unaskedOf(list []turn) []turn {
	return slices.DeleteFunc(slices.Clone(list), func(t turn) bool { return t.answers })
}

// messagesOf are the messages of turns.
func messagesOf(list []turn) []inbound {
	var m []inbound
	for _, t := range list {
		m = append(m, t.message())
	}
	return m
}

// textOf is a digest of a message's text, by which its answer is known again; 0 if
// there is none.
func textOf(data []byte) uint64 {
	if len(data) > longQuestion {
		return 0
	}
	text, ok := cat.Question(data)
	if !ok {
		return 0
	}
	return digest(text)
}

// digest is never 0.
func digest(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum64() | 1
}
