package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/chat"

	"github.com/catflap/catflap/authhandlers"
)

// tricks are characters by which a log line can be made to show something else.
var tricks = map[string]string{
	"bidi override": "\u202e", "bidi isolate": "\u2066", "pop": "\u2069", "right-to-left mark": "\u200f", "zero-width space": "\u200b",
	"zero-width joiner": "\u200d", "byte order mark": "\ufeff", "line separator": "\u2028", "paragraph separator": "\u2029",
	"soft hyphen": "\u00ad", "next line": "\u0085", "a terminal's command": "\u009b31m", "delete": "\u007f", "escape": "\x1b[31m",
	"new line": "\n", "tag": "\U000e0041", "private": "\ue000", "no-break space": "\u00a0", "no UTF-8": "\xe2\x80",
}

// TestALineShowsWhatItHolds: whatever field a stranger's text comes to, and in both
// forms.
func TestALineShowsWhatItHolds(t *testing.T) {
	for name, trick := range tricks {
		for _, format := range []string{"json", "text"} {
			t.Run(name+" "+format, func(t *testing.T) {
				text := "a" + trick + "b"
				var out bytes.Buffer
				c := config.Log{Format: format, Level: "info", Audit: "all"}
				r := record()
				r.Path, r.User, r.Reason, r.Rule, r.Err, r.Route = text, text, text, text, errors.New(text), text
				NewAudit(&out, c).Exchange(r)
				NewAudit(&out, c).Socket(chat.Event{Kind: chat.EventClose, User: &authhandlers.AuthUserInfo{ID: text}, Reason: text})
				NewLogger(&out, c).Log(t.Context(), slog.LevelWarn, text, "at", text, text, 1, "err", errors.New(text)) //nolint:sloglint // it must not matter
				if n := strings.Count(out.String(), "\n"); n != 3 {
					t.Errorf("%d lines", n)
				}
				for _, c := range out.String() {
					if c != '\n' && (!unicode.IsPrint(c) || c == unicode.ReplacementChar && trick != "\xe2\x80") {
						t.Errorf("%U in %q", c, out.String())
					}
				}
				if format == "text" || trick == "\xe2\x80" {
					return
				}
				line, _, _ := strings.Cut(out.String(), "\n")
				var fields map[string]any
				if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["path"] != text || fields["err"] != text {
					t.Errorf("%v: %s", err, line)
				}
			})
		}
	}
}

func TestLettersStayAsTheyAre(t *testing.T) {
	var out bytes.Buffer
	NewLogger(&out, config.Log{Format: "json", Level: "info"}).Info("Zoë, 李, עברית, 👩")
	if !strings.Contains(out.String(), "Zoë, 李, עברית, 👩") {
		t.Errorf("%s", out.String())
	}
}
