package pace

import "time"

// burst is how many seconds' worth an allowance may be used ahead, and how many uses of
// it may be refused in a row.
const burst = 4

// Allowance is a rate of something, such as messages, for one goroutine alone.
type Allowance struct {
	perSecond float64 // 0: any number
	used      Bucket
}

// NewAllowance allows so many in a second, and four seconds' worth at once; 0 means any
// number.
func NewAllowance(perSecond int) Allowance { return Allowance{perSecond: float64(perSecond)} }

// Take uses the allowance once. It is not ok if nothing is left; keeps is false when as
// many have been refused in a row as may be used at once.
func (a *Allowance) Take(now time.Time) (ok, keeps bool) {
	if a.perSecond <= 0 {
		return true, true
	}
	most := a.perSecond * burst
	used := a.used.Count(Rate{Burst: most, PerSecond: a.perSecond}, now)
	return used <= most, used <= 2*most
}
