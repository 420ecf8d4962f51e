package cat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// AccountError says that the Cat refuses a service account: those whose requests go
// out on it get no answer. It is for the operator to mend, and stops nobody else.
type AccountError struct{ ID string }

func (e *AccountError) Error() string {
	return fmt.Sprintf("the Cat refuses the service account %s: is cat.jwt_secret the Cat's CCAT_JWT_SECRET, "+
		"and does it have this account, with the permissions that stand in cat.service_accounts?", e.ID)
}

// harmless are endpoints that answer without effort and change nothing.
var harmless = [...]string{
	"/", "/memory/conversation_history", "/rabbithole/allowed-mimetypes", "/settings/", "/llm/settings", "/embedder/settings", "/users/",
}

// accountDoors tries each account where it has to be let in.
func (p *Probe) accountDoors(ctx context.Context) error {
	if p.Minter == nil {
		return nil
	}
	var refused []error
	for i := range p.Minter.accounts {
		a := &p.Minter.accounts[i]
		path, ok := a.harmless()
		if !ok {
			continue // the one who uses it finds out
		}
		status, _, err := p.get(ctx, path, func(h http.Header) error {
			token, err := p.Minter.tokenOf(AnonymousID, i)
			h["Authorization"] = []string{"Bearer " + token}
			return err
		})
		switch {
		case err != nil:
			return err
		case status == http.StatusForbidden, status == http.StatusUnauthorized:
			refused = append(refused, &AccountError{a.ID})
		}
	}
	return errors.Join(refused...)
}

// harmless returns an endpoint that the account may ask.
func (a *Account) harmless() (path string, ok bool) {
	for _, path := range harmless {
		if r, known := V1().Route(http.MethodGet, path); known && a.Permissions.Covers(r.atCat()) {
			return path, true
		}
	}
	return "", false
}
