package wsconn

import (
	"bytes"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// enough ends a connection from the test.
type enough struct{}

func (enough) Error() string    { return "enough" }
func (enough) Refused() Closing { return Closing{Code: 4000, Reason: "enough"} }

// TestMessagesThatComeAtOnce: each is a sign of life when it is dealt with, since the
// pongs behind them are not read meanwhile.
func TestMessagesThatComeAtOnce(t *testing.T) {
	p := NewPoller(time.Second)
	defer p.Close()
	o, judge := ends(t, false)
	c := New(judge, p, Options{Role: Client, Ping: 300 * time.Millisecond, WriteTimeout: time.Minute})
	one := Encode(websocket.TextMessage, []byte("hello"))
	if _, err := o.conn.Write(bytes.Repeat(one, 4)); err != nil {
		t.Fatal(err)
	}
	n := 0
	how, _ := c.Receive(func(int) error {
		time.Sleep(500 * time.Millisecond)
		if err := c.Discard(); err != nil {
			return err
		}
		if n++; n == 4 {
			return enough{}
		}
		return nil
	}, nil)
	c.Stop()
	if n != 4 || how.First != (enough{}).Refused() {
		t.Errorf("%+v after %d messages", how, n)
	}
}
