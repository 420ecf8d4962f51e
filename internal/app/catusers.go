package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/permission"
)

// users asks the one Cat about its own users, for the handlers.
type users struct{ at *cat.Users }

// catUsers returns nil where the configuration has no handler for them.
func catUsers(c *config.Config, s *cats, credentials cat.Credentials, accounts []cat.Account) (authhandlers.CatUsers, error) {
	if _, i := c.OwnUsers(); i < 0 {
		return nil, nil //nolint:nilnil // nobody asks
	}
	base, err := url.Parse(c.Cat.URL)
	if err != nil {
		return nil, fmt.Errorf("cat.url: %w", err)
	}
	return users{&cat.Users{Base: base, HTTP: catClient(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots}), Credentials: credentials, Accounts: accounts}}, nil
}

// List implements authhandlers.CatUsers.
func (u users) List(ctx context.Context) ([]authhandlers.CatUser, error) {
	found, err := u.at.List(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]authhandlers.CatUser, 0, len(found))
	for i := range found {
		list = append(list, authhandlers.CatUser{ID: found[i].ID, Name: found[i].Username, Permissions: permission.OfAccount(found[i].Named())})
	}
	return list, nil
}

// Token implements authhandlers.CatUsers.
func (u users) Token(ctx context.Context, name, password string) (string, error) {
	return u.at.Token(ctx, name, password)
}

// provision has users made for the people of the handlers that say so.
func (a *app) provision(c *config.Config, chain *authhandlers.Chain, known authhandlers.CatUsers) (*proxy.People, error) {
	o := proxy.PeopleOptions{Memory: a.people, Log: a.log, Now: time.Now}
	for i, h := range c.Handlers {
		if h.Provisions() {
			o.Handlers = append(o.Handlers, h.Name)
		}
		if roll, ok := chain.Links()[i].Handler.(authhandlers.UserRoll); ok {
			o.Roll = roll
		}
	}
	asked, ok := known.(users)
	if len(o.Handlers) == 0 || !ok {
		return nil, nil //nolint:nilnil // for nobody
	}
	o.Users = asked.at
	return proxy.NewPeople(o)
}

// withOwnAccounts sends the Cat's own users out on their own accounts.
func withOwnAccounts(c *config.Config, others cat.Credentials, contract *cat.Contract) (cat.Credentials, error) {
	field, secret := c.CatSecret()
	if field == "" {
		return others, nil
	}
	text, err := secret.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return cat.NewOwnAccounts(text, others, contract, time.Now)
}

// catClient is for Catflap's own questions to the Cat.
func catClient(secure *tls.Config) *http.Client {
	return &http.Client{
		Timeout: outboundTimeout, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
