package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// failure is a turn that failed: an error frame on a socket, a bare 500 over HTTP.
type failure struct{ name, description string }

func (f failure) Error() string { return f.name + ": " + f.description }

func (f failure) frame() object {
	return object{{"type", "error"}, {"name", f.name}, {"description", f.description}}
}

func (c *Cat) status(e *exchange) {
	e.json(http.StatusOK, object{{"status", "We're all mad here, dear!"}, {"version", Version}})
}

// message answers a turn over HTTP. Its tokens go to the same user's socket, the
// answer only here.
func (c *Cat) message(e *exchange) {
	d, ok := e.dict(map[string]any{"text": "hello!"})
	if !ok {
		return
	}
	answer, err := c.turn(e.caller, e.session, d)
	if err != nil {
		e.fault()
		return
	}
	e.json(http.StatusOK, answer)
}

// turn is one turn of a conversation: the user is the one who is signed in,
// whatever the message says. A text may ask for more than an echo: "sleep 0.5"
// takes that long, "big 1000" is answered with as many letters, "fail" fails, "rights" is
// answered with what a hook is told of the person, and "message" with the message that it
// is given.
func (c *Cat) turn(who caller, s *session, message any) (object, error) {
	user := who.user
	c.turns <- struct{}{}
	defer func() { <-c.turns }()

	said, err := c.human(user, message)
	if err != nil {
		return nil, err
	}
	text, ok := said.get("text").(string)
	if !ok {
		return c.answer(user, "You said nothing.", nil), nil
	}
	c.mu.Lock()
	s.add(said)
	started := c.seconds()
	query := c.memory.embedder.embed(text)
	var memories object
	for _, name := range collections() {
		filter := map[string]any{}
		if name == "episodic" {
			filter["source"] = user
		}
		if name == "declarative" && c.options.DocumentsPlugin {
			filter = ownDocuments(user)
		}
		list := []object{}
		for _, r := range c.memory.recall(name, query, 3, filter, 0.7) {
			list = append(list, c.memory.remembered(r, false))
		}
		memories = append(memories, field{name, list})
	}
	interaction := object{
		{"model_type", "embedder"},
		{"source", "StrayCat.recall_relevant_memories_to_working_memory"},
		{"prompt", []string{text}},
		{"input_tokens", len(strings.Fields(text))},
		{"started_at", started},
		{"reply", c.memory.embedder.dense(query, false)},
	}
	c.mu.Unlock()

	output, err := c.think(who, said, text)
	if err != nil {
		return nil, err
	}
	why := object{
		{"input", text},
		{"intermediate_steps", []any{}},
		{"memory", memories},
		{"model_interactions", []object{interaction}},
		{"agent_output", object{{"output", output}, {"intermediate_steps", []any{}}, {"return_direct", false}}},
	}
	answer := c.answer(user, output, why)
	c.mu.Lock()
	c.memory.add("episodic", "", text, map[string]any{"source": user, "when": c.seconds()})
	s.add(answer)
	c.mu.Unlock()
	return answer, nil
}

// human is a message as the history keeps it, with whatever else it carried.
func (c *Cat) human(user string, message any) (object, error) {
	d, ok := message.(map[string]any)
	if !ok {
		return nil, notAnObject(message)
	}
	said := object{{"user_id", user}, {"when", c.seconds()}, {"who", "Human"}, {"text", nil}, {"image", nil}, {"audio", nil}}
	for i, f := range said[2:] {
		v, sent := d[f.name]
		if !sent {
			continue
		}
		if _, isText := v.(string); !isText && (v != nil || f.name == "who") {
			return nil, invalidMessage(f.name, "string")
		}
		said[i+2].value = v
	}
	if when, sent := d["when"]; sent {
		if _, ok := when.(json.Number); !ok {
			return nil, invalidMessage("when", "number")
		}
		said[1].value = when
	}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if !slices.ContainsFunc(said, func(f field) bool { return f.name == name }) {
			said = append(said, field{name, d[name]})
		}
	}
	return said, nil
}

func invalidMessage(field, kind string) error {
	return failure{"ValidationError", fmt.Sprintf(
		"1 validation error for UserMessage\n%s\n  Input should be a valid %s [type=%s_type]", field, kind, kind)}
}

func notAnObject(v any) error {
	const assign = " object does not support item assignment"
	switch v.(type) {
	case nil:
		return failure{"TypeError", "'NoneType'" + assign}
	case string:
		return failure{"TypeError", "'str'" + assign}
	case bool:
		return failure{"TypeError", "'bool'" + assign}
	case []any:
		return failure{"TypeError", "list indices must be integers or slices, not str"}
	}
	return failure{"TypeError", "'int'" + assign}
}

// think makes the answer and sends it word by word to the user's socket.
func (c *Cat) think(who caller, said object, text string) (string, error) {
	user := who.user
	verb, rest, _ := strings.Cut(text, " ")
	switch verb {
	case "sleep":
		if s, err := strconv.ParseFloat(rest, 64); err == nil {
			c.wait(time.Duration(s * float64(time.Second)))
		}
	case "big":
		if n, err := strconv.Atoi(rest); err == nil && n >= 0 {
			return strings.Repeat("x", n), nil
		}
	case "rights":
		b, err := marshal(who.believed())
		return string(b), err
	case "message":
		b, err := marshal(said)
		return string(b), err
	case "fail":
		return "", failure{"ValueError", "asked to fail"}
	}
	output := c.options.Reply(user, text)
	for i, word := range strings.Split(output, " ") {
		if i > 0 {
			word = " " + word
		}
		c.sockets.send(user, object{{"type", "chat_token"}, {"content", word}})
	}
	return output, nil
}

// answer is a chat message of the Cat's.
func (c *Cat) answer(user, text string, why object) object {
	o := object{
		{"user_id", user}, {"when", c.seconds()}, {"who", "AI"}, {"text", text}, {"image", nil}, {"audio", nil},
		{"type", "chat"}, {"why", nil}, {"content", text},
	}
	if why != nil {
		o[7].value = why
	}
	return o
}

// asFailure is the error frame's content for any error.
func asFailure(err error) failure {
	if f, ok := errors.AsType[failure](err); ok {
		return f
	}
	return failure{"Exception", err.Error()}
}

// Notify sends a notification to a user's socket, as plugins do.
func (c *Cat) Notify(user, content string) {
	c.sockets.send(user, object{{"type", "notification"}, {"content", content}})
}
