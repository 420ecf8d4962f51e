package chat

import "time"

// absence is how long nobody has been in a room: its upstream lingers, for the next who comes
// back in time.
type absence struct {
	alone   time.Time // when the last client left
	since   time.Time // when the last client left, or something was said after that
	timer   *time.Timer
	counted bool // among those who linger
}
