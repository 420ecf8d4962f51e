package chat

import (
	"time"

	rates "github.com/catflap/catflap/internal/pace"
)

// burst is how many seconds' worth of messages a client may send at once, and how
// many it may be refused in a row before it is closed.
const burst = 4

// controlRate is how many pings, pongs and closes a client may send in a second. Each
// ping is answered, and none of them counts as a message.
const controlRate = 50

// rate is how many messages a client may send. It is the client's reader's own.
type rate struct {
	perSecond float64 // 0: any number
	used      rates.Bucket
}

func newRate(perSecond int) rate { return rate{perSecond: float64(perSecond)} }

// take takes one message. It is refused if none is left; keeps is false when the
// client has been refused as many in a row as it may be ahead.
func (r *rate) take(now time.Time) (ok, keeps bool) {
	if r.perSecond <= 0 {
		return true, true
	}
	most := r.perSecond * burst
	used := r.used.Count(rates.Rate{Burst: most, PerSecond: r.perSecond}, now)
	return used <= most, used <= 2*most
}
