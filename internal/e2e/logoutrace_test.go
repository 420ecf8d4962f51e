package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// open opens a WebSocket with the cookie, or with a ticket, if it can.
func (v *visitor) open(addr string, byTicket bool) *websocket.Conn {
	h := http.Header{"Origin": {v.public.String()}, "Host": {v.public.Host}}
	path := "/ws/user"
	if byTicket {
		status, text, err := v.try(addr, "POST", "/_catflap/ticket", "")
		var a struct{ Ticket string }
		if err != nil || status != 200 || json.Unmarshal([]byte(text), &a) != nil {
			return nil
		}
		path += "?token=" + a.Ticket
	} else {
		h.Set("Cookie", v.cookies())
	}
	d := websocket.Dialer{HandshakeTimeout: patience}
	c, resp, err := d.Dial("ws://"+addr+path, h)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil
	}
	v.t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLogoutWhileSocketsOpen: somebody opens sockets in four threads at two Catflaps, by
// cookie and by ticket, and signs out meanwhile. None of the sockets talks after that.
func TestLogoutWhileSocketsOpen(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	c := startCoupleOf(t, config{
		cat: cat.tap.addr, desks: []desk{idp.desk("company")}, websocket: "max_sockets_per_user: 1000",
	})
	opened, talked := 0, 0
	for round := range 10 {
		v := newVisitor(t, publicURL(c.a.addr))
		v.signIn(idp, "company", "alice")
		var (
			mu      sync.Mutex
			sockets []*websocket.Conn
			threads sync.WaitGroup
			some    = make(chan struct{}, 1000)
			over    = make(chan struct{})
		)
		for i := range 4 {
			at := []*flap{c.a, c.b}[i%2]
			threads.Go(func() {
				for {
					s := v.open(at.addr, i >= 2)
					if s != nil {
						mu.Lock()
						sockets = append(sockets, s)
						mu.Unlock()
						some <- struct{}{}
					}
					select {
					case <-over:
						return
					default:
					}
				}
			})
		}
		for range 6 {
			<-some
		}
		form := ""
		if round%2 == 1 {
			form = "everywhere=1"
		}
		if status, text := v.send(c.b.addr, "POST", "/_catflap/logout", form); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		close(over)
		threads.Wait()
		for _, s := range sockets {
			opened++
			if e := closedWith(s); e != 4401 {
				talked++
				t.Errorf("round %d: a socket lives on, or is closed with %d", round, e)
			}
		}
	}
	t.Logf("%d sockets opened, %d live on", opened, talked)
}

// closedWith is the code with which a socket is closed soon, or 0.
func closedWith(c *websocket.Conn) int {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for {
		_, _, err := c.ReadMessage()
		if e, ok := errors.AsType[*websocket.CloseError](err); ok {
			return e.Code
		}
		if err != nil {
			return 0
		}
	}
}
