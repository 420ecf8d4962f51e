package authhandlers

import (
	"context"
	"errors"
	"time"
)

// CatUsers is what a handler may ask the Cat about: its own users, but for those of
// Catflap's own.
type CatUsers interface {
	// List returns all of them, or an error.
	List(ctx context.Context) ([]CatUser, error)
	// Token returns the token that the Cat gives for a name and a password, or "" where
	// it does not take them. The Cat does little else for a second or more.
	Token(ctx context.Context, name, password string) (string, error)
}

// CatUser is one of the Cat's own users.
type CatUser struct {
	ID, Name string
	// Permissions are what the Cat has stored, as AuthUserInfo has them; never nil.
	Permissions []string
}

// AccountHolder is the ability of a handler whose people are the Cat's own users. Their
// requests go out on their own account, with the permissions that the Cat has stored:
// the very ones that the handler says.
type AccountHolder interface {
	// CatAccount returns the id of the Cat's own user that somebody is, or "". The handler
	// has let them in.
	CatAccount(u *AuthUserInfo) string
}

// ErrLapsed is wrapped by the answer of a handler that could not find out for too long
// whether somebody is still let in. It is a fault, and it ends what is open.
var ErrLapsed = errors.New("for too long it could not be found out whether this person is still let in")

// UserRoll is the ability of a handler that keeps the Cat's list of users fresh, for
// the users that are made for people.
type UserRoll interface {
	// UserNamed returns the user of a name, by a list that was asked for at that moment
	// or after it; nil: there is none. It asks for one if need be.
	UserNamed(ctx context.Context, name string, after time.Time) (*CatUser, error)
	// KnownUser is UserNamed by the list that there is, with its moment.
	KnownUser(name string) (u *CatUser, asOf time.Time, err error)
}

// PasswordLogin is the ability of a LoginProvider whose people type a name and a
// password into a page of ours, instead of going to a provider.
type PasswordLogin interface {
	LoginProvider
	// LoginByPassword returns who has this name and password. Where nobody has, the
	// answer is a *Rejection of CodeWrongPassword, which neither by its text nor by its
	// time says whether there is the name.
	LoginByPassword(ctx context.Context, name, password string) (*PasswordGrant, error)
}

// PasswordGrant is what a name and a password are worth.
type PasswordGrant struct {
	Login *Login
	// Token is a credential of the person's, for programs.
	Token string
}

// LoginWatcher is the ability of a LoginProvider that knows at each moment what the
// people of its logins may do. Its Rejudge is asked about them too.
type LoginWatcher interface {
	Rejudger
	// PresentLogin returns the person of a login as they are now, within seconds. A
	// *Rejection means that they are no longer let in.
	PresentLogin(ctx context.Context, u *AuthUserInfo) (*AuthUserInfo, error)
}
