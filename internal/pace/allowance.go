package pace

import "time"

// burst is how many seconds' worth an allowance may be used ahead, and how many uses of
// it may be refused in a row.
const burst = 4

// Allowance is a rate of something, such as messages, for one goroutine alone.
type Allowance struct {
	perSecond float64 // 0: any number
	left      float64
	at        time.Time
}

// NewAllowance allows so many in a second, and four seconds' worth at once; 0 means any
// number.
func NewAllowance(perSecond int) Allowance {
	a := Allowance{perSecond: float64(perSecond)}
	a.left = a.perSecond * burst
	return a
}

// Take uses the allowance once. It is not ok if nothing is left; keeps is false when as
// many have been refused in a row as may be used at once.
func (a *Allowance) Take(now time.Time) (ok, keeps bool) {
	if a.perSecond <= 0 {
		return true, true
	}
	most := a.perSecond * burst
	if !a.at.IsZero() {
		a.left = min(most, a.left+a.perSecond*now.Sub(a.at).Seconds())
	}
	a.at = now
	a.left--
	return a.left >= 0, a.left >= -most
}
