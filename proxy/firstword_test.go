package proxy

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/upstream"
)

// TestTheCatSpeaksWithItsAnswer: a frame that comes in one piece with the Cat's
// answer to the handshake is heard, and what follows it is read from where it begins.
func TestTheCatSpeaksWithItsAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	text := func(s string) string { return "\x81" + string([]byte{byte(len(s))}) + s }
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
				_, _ = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s%s",
					base64.StdEncoding.EncodeToString(sum[:]), text(`{"type":"notification","content":"one"}`), text(`{"type":"notification","content":"two"}`)[:10])
				time.Sleep(20 * time.Millisecond) // so that the second frame comes in two pieces
				_, _ = fmt.Fprint(c, text(`{"type":"notification","content":"two"}`)[10:])
				_, _ = c.Read(make([]byte, 1))
			}()
		}
	}()
	l := newLab(t, func(o *Options) {
		o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{
			Base: &url.URL{Scheme: "http", Host: listener.Addr().String()}, ConnectTimeout: time.Second, ResponseTimeout: time.Second, Log: o.Log,
		}))
		o.Credentials = cat.NewKeys(labKey, "the-cats-ws-key")
	})
	c, _, err := l.dial("/ws?token=alice", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, want := range []string{"one", "two"} {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, p, err := c.ReadMessage()
		if err != nil || string(p) != `{"type":"notification","content":"`+want+`"}` {
			t.Fatalf("%q %v, want %s", p, err, want)
		}
	}
}
