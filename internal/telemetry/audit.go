package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/chat"
)

// NewLogger makes the log that the configuration asks for. slog escapes control
// characters in both forms, so that a line stays one line; shown does so for the rest
// that can't be seen.
func NewLogger(to io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // the configuration has been validated
	}
	o := &slog.HandlerOptions{Level: level}
	to = shown{to}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(to, o))
	}
	return slog.New(slog.NewJSONHandler(to, o))
}

// Audit writes one line for each decision that the configuration asks for.
type Audit struct {
	log *slog.Logger
	all bool
}

// NewAudit makes an audit log; all is `log.audit: all`. Its lines are written
// whatever the log's level is.
func NewAudit(to io.Writer, c config.Log) *Audit {
	c.Level = "info"
	return &Audit{log: NewLogger(to, c), all: c.Audit == "all"}
}

// Exchange writes an exchange's line: each refusal and fault, and with all each
// allowed request too.
func (a *Audit) Exchange(r *proxy.Record) {
	quiet := r.Outcome == proxy.OutcomeAllowed || r.Outcome == proxy.OutcomePage
	if quiet && !a.all {
		return
	}
	attrs := make([]slog.Attr, 0, 21)
	attrs = append(attrs, slog.String("event", string(r.Outcome)), slog.Int("status", r.Status))
	for _, f := range [...]struct{ name, value string }{
		{"code", string(r.Code)}, {"rule", r.Rule}, {"reason", r.Reason}, {"user", r.User}, {"handler", r.Handler}, {"carrier", string(r.Carrier)},
		{"method", r.Method}, {"path", r.Path}, {"route", r.Route}, {"cat", r.Cat}, {"request_id", r.RequestID},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, f.value))
		}
	}
	if r.User != "" && (r.Outcome == proxy.OutcomeRefused || r.Outcome == proxy.OutcomeSignedIn) {
		attrs = append(attrs, slog.Int("groups", r.Groups)) // whose lack is what most refusals come from
	}
	if r.Client.IsValid() {
		attrs = append(attrs, slog.String("client", r.Client.String()))
	}
	if r.WebSocket {
		attrs = append(attrs, slog.Bool("websocket", true))
	}
	attrs = append(attrs, slog.Int64("duration_ms", r.Duration.Milliseconds()))
	if r.Err != nil {
		attrs = append(attrs, slog.String("err", r.Err.Error()))
	}
	level := slog.LevelInfo
	passes := (r.Status == http.StatusServiceUnavailable || r.Status == 499) && !r.Stays
	if r.Outcome == proxy.OutcomeFault && !passes {
		level = slog.LevelError
	}
	a.log.LogAttrs(context.Background(), level, "audit", attrs...)
}

// Socket writes the line of a socket's opening or closing, of a client's or of the
// Cat's. What is frequent is counted only.
func (a *Audit) Socket(e chat.Event) {
	attrs := []slog.Attr{slog.String("event", string(e.Kind)), slog.String("user", e.User.ID)}
	switch e.Kind {
	case chat.EventOpen, chat.EventClose:
		attrs = append(attrs, slog.String("handler", e.User.Handler), slog.String("request_id", e.ID))
	case chat.EventCatLost, chat.EventCatEnd:
		attrs = append(attrs, slog.Int("close_code", e.Code), slog.String("reason", e.Reason))
	case chat.EventCatOpen, chat.EventCatBack:
	default:
		return
	}
	if e.Client.IsValid() {
		attrs = append(attrs, slog.String("client", e.Client.String()))
	}
	if e.Kind == chat.EventClose {
		attrs = append(attrs,
			slog.Int("close_code", e.Code), slog.String("reason", e.Reason), slog.Int64("duration_ms", e.Duration.Milliseconds()),
			slog.Int64("messages_to_cat", e.FromClient), slog.Int64("bytes_to_cat", e.ToCat),
			slog.Int64("messages_to_client", e.FromCat), slog.Int64("bytes_to_client", e.ToClient))
	}
	a.log.LogAttrs(context.Background(), slog.LevelInfo, "audit", attrs...)
}
