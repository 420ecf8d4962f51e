package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// arrived is what the Cat of the lab, which echoes, has got.
func arrived(t *testing.T, c *websocket.Conn) map[string]any {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, p, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(p, &m); err != nil {
		t.Fatalf("%.200q: %v", p, err)
	}
	return m
}

// TestAttributesFollowTheSender: each message says what is known of its sender now, also
// behind a new token, and a frame with a token never gets a token of ours.
func TestAttributesFollowTheSender(t *testing.T) { inBothModes(t, attributesFollowTheSender) }

func attributesFollowTheSender(t *testing.T, set Settings) {
	long := strings.Repeat("T", 20<<10)
	l := newLabOf(t, Options{
		Settings: set,
		Attributes: func(u *authhandlers.AuthUserInfo) (string, error) {
			return fmt.Sprint(u.ID, " ", len(u.Groups), " ", long), nil
		},
		Reauthenticate: func(_ context.Context, u *authhandlers.AuthUserInfo, token string) (*authhandlers.AuthUserInfo, error) {
			if strings.Contains(token, "T") {
				return nil, errRejected
			}
			next := renewed(u, time.Time{})
			next.Groups = []string{"one"}
			return next, nil
		},
	}, echo)
	c, other := l.open(t, "/alice"), l.open(t, "/bob")
	for _, r := range []struct {
		conn *websocket.Conn
		say  string
		want string
	}{
		{c, `{"text":"x","catflap_attributes":"y"}`, "/alice 0 "},
		{other, `{"text":"x"}`, "/bob 0 "},
		{c, `{"type":"catflap.token","token":"new"}`, ""},
		{c, `{"text":"` + strings.Repeat("x", 60<<10) + `"}`, "/alice 1 "},
		{other, `{}`, "/bob 0 "},
	} {
		if err := r.conn.WriteMessage(websocket.TextMessage, []byte(r.say)); err != nil {
			t.Fatal(err)
		}
		switch m := arrived(t, r.conn); {
		case r.want == "" && (m["type"] != tokenType || m["ok"] != true):
			t.Errorf("%.100s is answered %v", r.say, m)
		case r.want != "" && m["catflap_attributes"] != r.want+long:
			t.Errorf("%.100s comes with %.100v", r.say, m["catflap_attributes"])
		}
	}
}

// TestAttributesCountForTheLimit: the Cat takes no more than it takes, the token included,
// and would close the socket of all.
func TestAttributesCountForTheLimit(t *testing.T) {
	set := shared
	set.MaxMessage = 4 << 10
	l := newLabOf(t, Options{Settings: set, Attributes: func(*authhandlers.AuthUserInfo) (string, error) {
		return strings.Repeat("T", 1000), nil
	}}, echo)
	c := l.open(t, "/alice")
	say := func(n int) {
		if err := c.WriteMessage(websocket.TextMessage, []byte(`{"text":"`+strings.Repeat("x", n)+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	say(2 << 10)
	arrived(t, c)
	say(3500)
	if code, _ := closedWith(t, c); code != websocket.CloseMessageTooBig {
		t.Errorf("code %d", code)
	}
}

// TestNoMessageWithoutAttributes: where they can't be made, nothing passes.
func TestNoMessageWithoutAttributes(t *testing.T) {
	inBothModes(t, func(t *testing.T, set Settings) {
		var got atomic.Int64
		l := newLabOf(t, Options{Settings: set, Attributes: func(*authhandlers.AuthUserInfo) (string, error) {
			return "", errors.New("no token")
		}}, func(c *websocket.Conn) {
			if _, _, err := c.ReadMessage(); err == nil {
				got.Add(1)
			}
		})
		c := l.open(t, "/alice")
		if err := c.WriteMessage(websocket.TextMessage, []byte(`{"text":"x"}`)); err != nil {
			t.Fatal(err)
		}
		if code, _ := closedWith(t, c); code != websocket.CloseInternalServerErr || got.Load() != 0 {
			t.Errorf("code %d, and %d messages", code, got.Load())
		}
	})
}
