package chat

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func messages() []*clusterMessage {
	session := strings.Repeat("s", sessionSize)
	return []*clusterMessage{
		{kind: messageOpen, session: session, n: 1, text: "alice", data: []byte("claim")},
		{kind: messageSend, session: session, n: 1 << 40, frame: websocket.BinaryMessage, data: []byte{0, 255}},
		{kind: messageBroadcast, session: session, n: 1 << 40, frame: websocket.TextMessage, only: true, data: []byte("{}")},
		{kind: messageAck, session: session, n: 3, own: 2, data: []byte{}},
		{kind: messageEnd, session: session, n: endMissed, data: []byte{}},
		{kind: messageLeave, session: session, n: 7, data: []byte{}, rest: []*outbound{{kind: websocket.TextMessage, data: []byte("a")}, {kind: websocket.BinaryMessage, data: []byte("b")}}},
	}
}

func TestMessages(t *testing.T) {
	for _, p := range messages() {
		b := p.encode()
		got, err := readMessage(b)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v becomes %+v, %v", p, got, err)
		}
		for n := range b {
			if cut, err := readMessage(b[:n]); err == nil && bytes.Equal(cut.encode(), b) {
				t.Errorf("%d of %d bytes of %+v are enough", n, len(b), p)
			}
		}
	}
	for _, p := range []*clusterMessage{
		{kind: 0, session: strings.Repeat("s", sessionSize)},
		{kind: messagePending + 1, session: strings.Repeat("s", sessionSize)},
		{kind: messageSend, session: strings.Repeat("s", sessionSize), frame: websocket.CloseMessage},
		{kind: messageAck, session: strings.Repeat("s", sessionSize), rest: []*outbound{{kind: websocket.TextMessage}}},
	} {
		if _, err := readMessage(p.encode()); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, p := range messages() {
		f.Add(p.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readMessage(b)
		if err != nil {
			return
		}
		again, err := readMessage(p.encode())
		if err != nil || !bytes.Equal(again.encode(), p.encode()) {
			t.Errorf("%q: %v", b, err)
		}
	})
}
