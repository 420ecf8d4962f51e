package cat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/catflap/catflap/internal/wait"
)

// loginPause is the time before each login with a default account: the Cat answers
// nobody for a second while it compares a password.
const loginPause = 10 * time.Second

// defaultAccounts are those of a fresh Cat. The password of each is its name.
func defaultAccounts() []string { return []string{"admin", "user"} }

// DefaultLogin reports whether the Cat lets the account in by its default password.
func (p *Probe) DefaultLogin(ctx context.Context, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]string{"username": name, "password": name})
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Base.JoinPath("/auth/token").String(), bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	SetIdentity(req.Header, AnonymousID)
	resp, err := p.HTTP.Do(req)
	if err != nil {
		return false, fmt.Errorf("the Cat can't be reached: %w", err)
	}
	defer resp.Body.Close()                                              //nolint:errcheck // nothing was written
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, probeAnswer)) // the token is not kept
	return resp.StatusCode == http.StatusOK, err
}

// tryDefaults tries each default account once. The Cat is served on: its login page is
// closed here, and who reaches its port by another way is not ours to stop.
func (g *Guard) tryDefaults(ctx context.Context) {
	var notes []string
	for _, name := range defaultAccounts() {
		if wait.For(ctx, g.loginPause) != nil {
			return
		}
		in, err := g.probe.DefaultLogin(ctx, name)
		if err != nil {
			g.log.Debug("a default account of the Cat's could not be tried", "account", name, "error", err)
			continue
		}
		if in {
			note := fmt.Sprintf("the Cat lets the account %s in with the default password %s: change it in the admin panel's list of users, or delete the account", name, name)
			g.log.Warn("anybody who reaches the Cat's port can sign in there", "reason", note)
			notes = append(slices.Clone(notes), note)
			told := notes
			g.notes.Store(&told)
		}
	}
}

// noPlugin is what an operator is told where documents are everybody's all the same.
const noPlugin = "cat.documents is private, and the plugin that keeps documents apart is not active at the Cat: people are told of everybody's documents in a chat; activate it there"

// lookForPlugin asks whether documents are kept apart. What can't be asked says nothing.
func (g *Guard) lookForPlugin(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	status, body, err := g.probe.get(ctx, documentsState, nil)
	if err != nil || status >= http.StatusInternalServerError {
		return
	}
	missing := !KeepsDocuments(status, body)
	if was := g.unmarked.Swap(missing); missing && !was {
		g.log.Warn("documents are not kept apart", "reason", noPlugin)
	}
}

// Notes say what an operator should mend although the Cat is served.
func (g *Guard) Notes() []string {
	var notes []string
	if n := g.notes.Load(); n != nil {
		notes = *n
	}
	if g.unmarked.Load() {
		notes = append(slices.Clone(notes), noPlugin)
	}
	return notes
}
