package jwt

import (
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// Granting are the outermost claims on which permissions hang.
type Granting []string

// NewGranting are the claims in which the paths of the groups, and of what else is granted
// by, begin.
func NewGranting(groups, retained []string) (Granting, error) {
	var all Granting
	for _, text := range slices.Concat(groups, retained) {
		p, err := strictjson.ParsePath(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Roots()...)
	}
	return all, nil
}

// Elsewhere names the claims on which permissions hang and which are not in the
// token, since they were too large: _claim_names points to them (OpenID Connect Core
// §5.6.2, Entra ID), or hasgroups says so (Entra ID). Without this, somebody with many
// groups would be somebody without any.
func (g Granting) Elsewhere(claims strictjson.Object) (names []string) {
	if v, ok := claims.Get("_claim_names"); ok {
		all, _ := v.Object()
		for _, n := range all {
			if slices.Contains(g, n.Name) {
				names = append(names, n.Name)
			}
		}
	}
	v, _ := claims.Get("hasgroups")
	if has, _ := v.Bool(); (has || v.Text() == `"true"`) && slices.Contains(g, "groups") {
		names = append(names, "groups")
	}
	return names
}

// TooManyGroups refuses a token that does not name the groups that somebody has.
func TooManyGroups(why string) error {
	return reject(authhandlers.CodeGroupsOverage, "you are in more groups than your provider writes into a token; "+
		"have it limit them to those of this application, or use app roles instead", "%s", why)
}

// whole refuses a token without the claims on which permissions hang. A deny would else
// not hold for those who are in most groups.
func (g Granting) whole(claims strictjson.Object, _ bool) error {
	if g.Elsewhere(claims) != nil {
		return TooManyGroups("the token does not name its groups")
	}
	return nil
}
