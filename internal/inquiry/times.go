package inquiry

import (
	"time"

	"github.com/catflap/catflap/authhandlers"
)

const (
	// maxCache is the longest time for which an end of access may go unnoticed.
	maxCache = time.Minute
	maxStale = time.Hour
	// The bounds of the time for one question.
	minTimeout, maxTimeout = 100 * time.Millisecond, 10 * time.Second
)

// Times are how long answers count, as every handler that asks a service has them.
type Times struct {
	// Cache is how long an answer is remembered, Timeout bounds one question, and Stale is
	// how long somebody stays connected while the service can't be asked.
	Cache, Timeout, Stale time.Duration
}

// Validate notes the times that are out of their bounds. usual is the handler's own
// default for the field cache.
func (t Times) Validate(p *authhandlers.FieldErrors, usual string) {
	if t.Cache < 0 || t.Cache > maxCache {
		p.Add("cache", "must be between 0s and 60s", "an end of access may go unnoticed for so long; the default is "+usual)
	}
	if t.Timeout < minTimeout || t.Timeout > maxTimeout {
		p.Add("timeout", "must be between 100ms and 10s", "the default is 5s")
	}
	if t.Stale < 0 || t.Stale > maxStale {
		p.Add("stale_if_error", "must be between 0s and 1h", "the default is 5m")
	}
}
