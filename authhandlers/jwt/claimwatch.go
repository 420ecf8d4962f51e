package jwt

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// oddPause is how long nothing is said about groups of an odd shape after it was said.
const oddPause = 10 * time.Minute

// claimWatch tells the operator of configured claims that no token has, and of groups
// whose shape grants nothing: people then come in, and may do nothing.
//
// It looks at verified tokens alone, or strangers could write into the log.
type claimWatch struct {
	log   *slog.Logger
	now   func() time.Time
	where string // which tokens these are
	words bool   // groups may be one text of words
	all   []*watchedClaim
}

type watchedClaim struct {
	path    strictjson.Path
	groups  bool
	seen    atomic.Bool
	without atomic.Int64 // tokens, until one has it
	quiet   atomic.Int64 // Unix nanoseconds until which an odd shape is not told
}

func newClaimWatch(id *identity, log *slog.Logger, now func() time.Time, where string) *claimWatch {
	w := &claimWatch{log: log, now: now, where: where, words: id.words}
	if !id.groups.IsZero() {
		w.all = append(w.all, &watchedClaim{path: id.groups, groups: true})
	}
	for _, p := range id.retained {
		if p.String() != id.groups.String() {
			w.all = append(w.all, &watchedClaim{path: p})
		}
	}
	return w
}

// saw looks at the claims of a verified token.
func (w *claimWatch) saw(claims strictjson.Object) {
	for _, c := range w.all {
		v, ok := claims.At(c.path)
		if !ok || v.Text() == "null" {
			w.lacks(c)
			continue
		}
		c.seen.Store(true)
		if shape := w.oddShape(v); c.groups && shape != "" {
			w.odd(c, shape)
		}
	}
}

// lacks tells of the first token without a claim that none has had yet, and of the
// tenth, the hundredth and so on.
func (w *claimWatch) lacks(c *watchedClaim) {
	if c.seen.Load() {
		return
	}
	n := c.without.Add(1)
	for ten := int64(1); ten <= n; ten *= 10 {
		if ten == n {
			w.log.Warn("no token has had a configured claim yet; nothing is granted by it",
				"claim", c.path.String(), "tokens", n, "of", w.where)
		}
	}
}

// odd tells of groups that are there and grant nothing.
func (w *claimWatch) odd(c *watchedClaim, shape string) {
	now, quiet := w.now(), c.quiet.Load()
	if now.UnixNano() < quiet || !c.quiet.CompareAndSwap(quiet, now.Add(oddPause).UnixNano()) {
		return
	}
	w.log.Warn("the claim with the groups is no list of texts; it grants nothing",
		"claim", c.path.String(), "shape", shape, "of", w.where)
}

// oddShape names what groups are that can't be read, and is "" for those that can.
func (w *claimWatch) oddShape(v strictjson.Value) string {
	_, list := v.Strings()
	_, text := v.Str()
	_, array := v.Array()
	_, object := v.Object()
	switch {
	case list, text && w.words:
		return ""
	case text:
		return "one text; groups_separator can take it apart"
	case array:
		return "a list with something else than texts"
	case object:
		return "an object; a path such as realm_access.roles names what is inside"
	}
	return "neither list nor text"
}
