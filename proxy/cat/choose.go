package cat

import (
	"errors"
	"strings"
)

// ErrNoAccount means that no service account fits a request: the Cat could be asked
// only with rights that the person was not granted.
var ErrNoAccount = errors.New("no service account fits this request")

// NoAccountError is ErrNoAccount with what an account would have to be.
type NoAccountError struct {
	// Needs is what it must hold for the Cat to answer.
	Needs Permissions
	// Most is all that it may hold: what the person was granted.
	Most Permissions
	// Pattern is the endpoint's name.
	Pattern string
}

func (e *NoAccountError) Error() string {
	return ErrNoAccount.Error() + " (" + e.Pattern + "): " + e.Missing()
}

// Missing says what account would have to be added.
func (e *NoAccountError) Missing() string {
	needs := "an account"
	if e.Needs != 0 {
		needs += " with " + strings.Join(e.Needs.Names(), ", ")
	}
	return needs + " that holds nothing beyond " + strings.Join(e.Most.Names(), ", ")
}

// Unwrap returns ErrNoAccount.
func (e *NoAccountError) Unwrap() error { return ErrNoAccount }

// Choose returns the place of the account on which a request goes out: it covers
// what the Cat asks for at the route and holds nothing beyond what the person holds.
// Among these it is the one with the most, so that plugins see the person's rights.
// The permission of the route itself counts as granted, since the policy has let the
// request through: the Cat may have another name for it.
func Choose(accounts []Account, held Permissions, r Route) (int, error) {
	needs := r.atCat()
	most := (held | needs) & all
	best := -1
	for i := range accounts {
		has := accounts[i].Permissions
		if has.Covers(needs) && most.Covers(has) && (best < 0 || has.count() > accounts[best].Permissions.count()) { //nolint:gosec // best is an index of accounts
			best = i
		}
	}
	if best < 0 && r.Base {
		best = smallest(accounts, needs)
	}
	if best < 0 {
		return 0, &NoAccountError{Needs: needs, Most: most, Pattern: r.Pattern}
	}
	return best, nil
}

// smallest is the account with the fewest permissions that covers needs: where no
// plugin sees it and the Cat keeps to the caller's own data, it may hold others.
func smallest(accounts []Account, needs Permissions) int {
	best := -1
	for i := range accounts {
		has := accounts[i].Permissions
		if has.Covers(needs) && (best < 0 || has.count() < accounts[best].Permissions.count()) {
			best = i
		}
	}
	return best
}

// atCat is what the Cat itself asks for: fetching a page is uploading to it, its
// files are everybody's, and the pages of its panel are not.
func (r Route) atCat() Permissions {
	switch {
	case r.Panel:
		return PermissionsOf(staticRead)
	case r.Needs == None, r.Needs == staticRead && !r.Plugins:
		return 0
	case r.Needs == uploadWeb:
		return PermissionsOf(uploadFile)
	}
	return PermissionsOf(r.Needs)
}
