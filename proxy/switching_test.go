package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/upstream/rawserver"
)

// TestNobodySwitchesWithoutBeingAsked: an answer of 101 to a request that is no
// handshake would join the client's connection to one at the Cat, past every look.
func TestNobodySwitchesWithoutBeingAsked(t *testing.T) {
	for name, head := range map[string]string{
		"with all that belongs to it": "Connection: Upgrade\r\nUpgrade: websocket\r\n",
		"with nothing":                "",
	} {
		for _, body := range []int{0, 10, maxReplay + 1} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, body), func(t *testing.T) {
				tunnelled := make(chan string, 1)
				w := rawserver.New(t, func(_ int, c net.Conn, next func() (*http.Request, bool)) {
					if _, ok := next(); !ok {
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n"+head+"\r\n")
					if r, ok := next(); ok {
						tunnelled <- r.RequestURI
					}
				})
				l := newLab(t, func(o *Options) { o.Cats = catAt(t, w.Base()) })
				c, err := net.Dial("tcp", strings.TrimPrefix(l.front.URL, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				fmt.Fprintf(c, "POST /message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice\r\nContent-Length: %d\r\n\r\n%s", body, bytes.Repeat([]byte("x"), body))
				got := make([]byte, 12)
				if _, err := io.ReadFull(c, got); err != nil || string(got) != "HTTP/1.1 502" {
					t.Errorf("answered %q, %v", got, err)
				}
				_, _ = io.WriteString(c, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
				_, _ = io.Copy(io.Discard, io.LimitReader(c, 200))
				_ = c.Close()
				select {
				case uri := <-tunnelled:
					t.Errorf("%s reached the Cat", uri)
				default:
				}
			})
		}
	}
}
