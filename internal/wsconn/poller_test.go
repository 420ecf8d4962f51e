package wsconn

import (
	"errors"
	"testing"
	"time"
)

// TestARefusedParking: a connection that is closed while its reader is about to be parked is no
// one's but the reader's to clean up after.
func TestARefusedParking(t *testing.T) {
	p := NewPoller(time.Second)
	defer p.Close()
	for range 200 {
		o, judge := ends(t, false)
		r := newReader(o.conn, true, p)
		ended := make(chan struct{})
		var run func()
		run = func() {
			if err := r.serve(func(int) error { return nil }, run); !errors.Is(err, errParked) {
				close(ended)
			}
		}
		go run()
		r.close()
		<-ended
		_ = judge.Close()
	}
}
