package cat

import (
	"net/http"
	"time"
)

// OwnAccounts sends a person who is one of the Cat's own users on a minted token of
// that very user, so that the Cat itself goes by what it has stored, over HTTP and the
// socket alike. Everybody else, and what their own account can't do although Catflap
// lets them, goes out with the credentials of the others.
type OwnAccounts struct {
	others Credentials
	signer *signer
	chat   Route
}

// NewOwnAccounts returns credentials that mint with the Cat's secret.
func NewOwnAccounts(secret []byte, others Credentials, contract *Contract, now func() time.Time) (*OwnAccounts, error) {
	s, err := newSigner(secret, now)
	if err != nil {
		return nil, err
	}
	return &OwnAccounts{others: others, signer: s, chat: contract.chat}, nil
}

// goesOwn reports whether a request goes out on the person's own account. An account
// with more rights than the person holds here would tell plugins too much; with the
// Cat's keys alone they would be told even more.
func (o *OwnAccounts) goesOwn(p Person, r Route) bool {
	if p.Account == "" || r.Base && !p.Stored.Covers(r.atCat()) {
		return false
	}
	_, keysAlone := o.others.(*Keys)
	return keysAlone || p.Held.Covers(p.Stored)
}

// HTTP implements [Credentials].
func (o *OwnAccounts) HTTP(h http.Header, p Person, r Route) error {
	if !o.goesOwn(p, r) {
		return o.others.HTTP(h, p, r)
	}
	token, err := o.signer.sign(p.Account, p.ID)
	if err == nil {
		present(h, token, []string{"Bearer " + token}, r)
	}
	return err
}

// Chat implements [Credentials].
func (o *OwnAccounts) Chat(p Person) (string, error) {
	if !o.goesOwn(p, o.chat) {
		return o.others.Chat(p)
	}
	return o.signer.sign(p.Account, p.ID)
}

// ChatRights implements [Credentials].
func (o *OwnAccounts) ChatRights(p Person) (Permissions, error) {
	if !o.goesOwn(p, o.chat) {
		return o.others.ChatRights(p)
	}
	return p.Stored, nil
}
