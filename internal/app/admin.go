package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// readyTimeout bounds a readiness check.
const readyTimeout = 5 * time.Second

// scrapeTimeout bounds it where a scrape of the metrics waits, whose own bound is
// usually ten seconds.
const scrapeTimeout = 2 * time.Second

// adminHandler serves operators. Nothing of it is on the public listener, and a
// page in an operator's browser can't reload (net/http's CrossOriginProtection).
func (a *app) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", a.serveReady)
	mux.Handle("GET /metrics", a.metrics.Handler())
	mux.HandleFunc("POST /-/reload", a.serveReload)
	mux.HandleFunc("GET /.well-known/jwks.json", a.serveKeys)
	return a.ownHosts(http.NewCrossOriginProtection().Handler(mux))
}

func (a *app) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	err := a.ready(ctx)
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reasons": strings.Split(err.Error(), "\n")})
		return
	}
	answer := map[string]any{"status": "ready"}
	if notes := a.notes(); len(notes) > 0 {
		answer["notes"] = notes
	}
	writeJSON(w, http.StatusOK, answer)
}

// notes say what an operator should know although requests can be served.
func (a *app) notes() []string {
	notes := a.current.Load().handler.Notes()
	if a.certificate != nil {
		if is, why := a.certificate.judge(); is == endsSoon {
			notes = append(notes, why)
		}
	}
	return notes
}

// readyNow is readiness for a scrape of the metrics.
func (a *app) readyNow() bool {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	return a.ready(ctx) == nil
}

func (a *app) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return errors.New("stopping")
	}
	g := a.current.Load()
	if g == nil {
		return errNothingRuns
	}
	reasons := []error{g.handler.Ready(ctx)}
	if f := a.others.Load(); f != nil {
		reasons = append(reasons, f.Ready())
	}
	if a.certificate != nil {
		if is, why := a.certificate.judge(); is == expired || is == early {
			reasons = append(reasons, errors.New(why))
		}
	}
	return errors.Join(reasons...)
}

func (a *app) serveReload(w http.ResponseWriter, r *http.Request) {
	answer := make(chan error, 1)
	select {
	case a.requested <- answer:
	case <-r.Context().Done():
		return
	}
	select {
	case err := <-answer:
		if part, ok := errors.AsType[*restartNeeded](err); ok {
			writeJSON(w, http.StatusConflict, map[string]any{"status": "reloaded in part", "problems": []string{part.Error()}, "needs_restart": part.fields})
			return
		}
		if err != nil {
			writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"status": "not reloaded", "problems": strings.Split(err.Error(), "\n")})
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"status": "reloaded"})
	case <-r.Context().Done():
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nobody to tell
}
