package chat

import "time"

// burst is how many seconds' worth of messages a client may send at once, and how
// many it may be refused in a row before it is closed.
const burst = 4

// controlRate is how many pings, pongs and closes a client may send in a second. Each
// ping is answered, and none of them counts as a message.
const controlRate = 50

// rate is a bucket of messages. It is the client's reader's own.
type rate struct {
	perSecond float64 // 0: any number
	left      float64
	at        time.Time
}

func newRate(perSecond int) rate {
	r := rate{perSecond: float64(perSecond)}
	r.left = r.perSecond * burst
	return r
}

// take takes one message. It is refused if none is left; keeps is false when the
// client has been refused as many in a row as it may be ahead.
func (r *rate) take(now time.Time) (ok, keeps bool) {
	if r.perSecond <= 0 {
		return true, true
	}
	most := r.perSecond * burst
	if !r.at.IsZero() {
		r.left = min(most, r.left+r.perSecond*now.Sub(r.at).Seconds())
	}
	r.at = now
	r.left--
	return r.left >= 0, r.left >= -most
}
