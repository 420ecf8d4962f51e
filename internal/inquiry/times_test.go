package inquiry_test

import (
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
)

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		times inquiry.Times
		want  string
	}{
		{inquiry.Times{Cache: 0, Timeout: 100 * time.Millisecond, Stale: 0}, ""},
		{inquiry.Times{Cache: time.Minute, Timeout: 10 * time.Second, Stale: time.Hour}, ""},
		{inquiry.Times{Cache: -1, Timeout: time.Second}, "cache: must be between 0s and 60s"},
		{inquiry.Times{Cache: time.Minute + 1, Timeout: time.Second}, "cache: must be between 0s and 60s"},
		{inquiry.Times{Timeout: 100*time.Millisecond - 1}, "timeout: must be between 100ms and 10s"},
		{inquiry.Times{Timeout: 10*time.Second + 1}, "timeout: must be between 100ms and 10s"},
		{inquiry.Times{Timeout: time.Second, Stale: -1}, "stale_if_error: must be between 0s and 1h"},
		{inquiry.Times{Timeout: time.Second, Stale: time.Hour + 1}, "stale_if_error: must be between 0s and 1h"},
	} {
		var p authhandlers.FieldErrors
		c.times.Validate(&p, "30s")
		got := ""
		if err := p.Err(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.times, got, c.want)
		}
	}
}
