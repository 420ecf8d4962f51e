package cattest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// isolation: what the user id keeps apart, and what it does not. Everything is
// asked as alice with the API key, about bob.
func (s *suite) isolation(t *testing.T) {
	alice, bob := s.name("alice"), s.name("bob")
	secret := "the rabbit hole of bob is under the oak " + s.tag
	s.say(t, s.as(alice), "alice was here "+s.tag)
	s.say(t, s.as(bob), secret)

	t.Run("a body does not say who", func(t *testing.T) {
		var v struct {
			User string `json:"user_id"`
		}
		s.askJSON(t, "POST", "/message", s.as(alice), fmt.Sprintf(`{"text":"hello","user_id":%q}`, bob)).want(t, ok).into(t, &v)
		if v.User != alice {
			t.Errorf("user %q", v.User)
		}
	})
	t.Run("history is apart", func(t *testing.T) {
		own := s.history(t, s.as(alice))
		if !slices.Contains(own, "Human: alice was here "+s.tag) || strings.Contains(strings.Join(own, ""), "bob") {
			t.Errorf("alice's: %q", own)
		}
		if h := s.history(t, s.as(bob)); !slices.Contains(h, "Human: "+secret) {
			t.Errorf("bob's: %q", h)
		}
	})
	t.Run("recall is apart", func(t *testing.T) {
		if got := s.recall(t, "GET", s.as(bob), secret, ""); !strings.Contains(got["episodic"], secret) {
			t.Errorf("bob recalls %s", got["episodic"])
		}
		for _, tt := range []struct{ method, source string }{{"GET", ""}, {"POST", ""}, {"POST", bob}} {
			if got := s.recall(t, tt.method, s.as(alice), secret, tt.source); strings.Contains(got["episodic"], secret) {
				t.Errorf("alice recalls bob's words by %s, source %q", tt.method, tt.source)
			}
		}
	})
	t.Run("points are everybody's", func(t *testing.T) {
		p := s.point(t, alice, "episodic", secret)
		if p.Payload.Metadata["source"] != bob {
			t.Errorf("source %v", p.Payload.Metadata["source"])
		}
		changed := "the rabbit hole of bob is under the elm " + s.tag
		s.askJSON(t, "PUT", "/memory/collections/episodic/points/"+p.ID, s.as(alice),
			fmt.Sprintf(`{"content":%q,"metadata":{"source":%q}}`, changed, bob)).want(t, ok)
		if got := s.recall(t, "GET", s.as(bob), changed, ""); !strings.Contains(got["episodic"], changed) {
			t.Errorf("bob recalls %s", got["episodic"])
		}
		s.ask(t, "DELETE", "/memory/collections/episodic/points/"+p.ID, s.as(alice), "").want(t, ok)
		if got := s.recall(t, "GET", s.as(bob), changed, ""); strings.Contains(got["episodic"], changed) {
			t.Error("it is still there")
		}
	})
	t.Run("a point can be put into another's context", func(t *testing.T) {
		s.echoes(t)
		planted := "the password of the queen is tarts " + s.tag
		s.askJSON(t, "POST", "/memory/collections/episodic/points", s.as(alice),
			fmt.Sprintf(`{"content":%q,"metadata":{"source":%q}}`, planted, bob)).want(t, ok)
		var v struct {
			Why struct {
				Memory struct {
					Episodic []struct {
						Text string `json:"page_content"`
					}
				}
			}
		}
		s.say(t, s.as(bob), planted).into(t, &v)
		if len(v.Why.Memory.Episodic) == 0 || v.Why.Memory.Episodic[0].Text != planted {
			t.Errorf("context %+v", v.Why.Memory.Episodic)
		}
		s.askJSON(t, "DELETE", "/memory/collections/episodic/points", s.as(alice),
			fmt.Sprintf(`{"source":%q}`, bob)).wantBody(t, ok, `{"deleted":[]}`)
		if got := s.recall(t, "GET", s.as(bob), planted, ""); got["episodic"] != "" {
			t.Errorf("bob still recalls %s", got["episodic"])
		}
	})
	t.Run("declarative memory is one pool", func(t *testing.T) {
		fact := "the tea party is at five " + s.tag
		s.askJSON(t, "POST", "/memory/collections/declarative/points", s.as(alice), fmt.Sprintf(`{"content":%q}`, fact)).want(t, ok)
		if got := s.recall(t, "GET", s.as(bob), fact, ""); !strings.Contains(got["declarative"], fact) {
			t.Errorf("bob recalls %s", got["declarative"])
		}
		s.askJSON(t, "DELETE", "/memory/collections/declarative/points", s.as(alice), fmt.Sprintf(`{"source":%q}`, alice)).want(t, ok)
	})
	t.Run("a filter holds for what is within", func(t *testing.T) { s.filters(t) })
	t.Run("an upload tells the uploader alone", func(t *testing.T) { s.uploadNotice(t, alice, bob) })
	t.Run("a message's tokens go to the socket", func(t *testing.T) {
		s.echoes(t)
		w := s.socketFor(t, s.name("reader"))
		defer w.bye()
		s.say(t, s.as(s.name("reader")), "one two")
		if got := w.next(t); got["type"] != "chat_token" {
			t.Errorf("got %v", got)
		}
		s.ask(t, "GET", "/", s.as(s.name("reader")), "")
		w.until(t, "chat_token")
	})
	t.Run("the socket is the one that the path says", func(t *testing.T) {
		w := s.socketFor(t, bob)
		defer w.bye()
		if got := w.turn(t, fmt.Sprintf(`{"text":"hello","user_id":%q}`, alice))["user_id"]; got != bob {
			t.Errorf("user %v", got)
		}
	})
	t.Run("deleting history is apart", func(t *testing.T) {
		s.ask(t, "DELETE", "/memory/conversation_history", s.as(alice), "").wantBody(t, ok, `{"deleted":true}`)
		if h := s.history(t, s.as(alice)); len(h) != 0 {
			t.Errorf("alice's: %q", h)
		}
		if h := s.history(t, s.as(bob)); len(h) == 0 {
			t.Error("bob's is gone")
		}
	})
	t.Run("the key is all power", func(t *testing.T) {
		for _, path := range []string{"/users/", "/settings/", "/llm/settings", "/embedder/settings",
			"/auth_handler/settings", "/plugins/", "/plugins/settings", "/rabbithole/allowed-mimetypes"} {
			s.ask(t, "GET", path, s.as(alice), "").want(t, ok)
		}
	})
}

func (s *suite) uploadNotice(t *testing.T, alice, bob string) {
	wa, wb := s.socketFor(t, alice), s.socketFor(t, bob)
	defer wa.bye()
	defer wb.bye()
	body := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + s.tag + ".txt\"\r\nContent-Type: text/plain\r\n\r\n" +
		"the dormouse sleeps in the tea pot " + s.tag + "\r\n--x--\r\n"
	a := s.ask(t, "POST", "/rabbithole/", append(s.as(alice), "Content-Type: multipart/form-data; boundary=x"), body)
	a.wantBody(t, ok, fmt.Sprintf(`{"filename":"%s.txt","content_type":"text/plain","info":"File is being ingested asynchronously"}`, s.tag))
	for {
		if content, _ := wa.until(t, "notification")["content"].(string); strings.HasPrefix(content, "Finished reading "+s.tag+".txt") {
			break
		}
	}
	wb.silent(t, 100*time.Millisecond)
	s.askJSON(t, "DELETE", "/memory/collections/declarative/points", s.key(), fmt.Sprintf(`{"source":"%s.txt"}`, s.tag)).want(t, ok)
}

// recall is what is recalled of a text, by collection.
func (s *suite) recall(t *testing.T, method string, lines []string, query, source string) map[string]string {
	t.Helper()
	var a answer
	if method == "GET" {
		a = s.ask(t, "GET", "/memory/recall?k=20&text="+url.QueryEscape(query), lines, "")
	} else {
		body := map[string]any{"text": query, "k": 20}
		if source != "" {
			body["metadata"] = map[string]string{"source": source}
		}
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		a = s.askJSON(t, "POST", "/memory/recall", lines, string(b))
	}
	var v struct {
		Vectors struct {
			Collections map[string][]struct {
				Text string `json:"page_content"`
			}
		}
	}
	a.want(t, ok).into(t, &v)
	found := map[string]string{}
	for name, list := range v.Vectors.Collections {
		for _, m := range list {
			found[name] += m.Text + "\n"
		}
	}
	return found
}

type point struct {
	ID      string
	Payload struct {
		Text     string `json:"page_content"`
		Metadata map[string]any
	}
}

// point finds a point by its text among everybody's.
func (s *suite) point(t *testing.T, as, collection, content string) point {
	t.Helper()
	var v struct{ Points []point }
	s.ask(t, "GET", "/memory/collections/"+collection+"/points?limit=10000", s.as(as), "").want(t, ok).into(t, &v)
	for _, p := range v.Points {
		if p.Payload.Text == content {
			return p
		}
	}
	t.Fatalf("no point %q", content)
	return point{}
}
