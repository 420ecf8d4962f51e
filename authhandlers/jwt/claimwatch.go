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
	where string                        // which tokens these are
	shape func(strictjson.Value) string // of groups that can't be read; "" for others
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
	w := &claimWatch{log: log, now: now, where: where, shape: id.groups.OddShape}
	watched := map[string]bool{}
	for _, p := range id.groups.Paths() {
		watched[p.String()] = true
		w.all = append(w.all, &watchedClaim{path: p, groups: true})
	}
	for _, p := range id.retained {
		if !watched[p.String()] {
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
		if c.groups {
			w.odd(c, w.shape(v))
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
	if shape == "" {
		return
	}
	now, quiet := w.now(), c.quiet.Load()
	if now.UnixNano() < quiet || !c.quiet.CompareAndSwap(quiet, now.Add(oddPause).UnixNano()) {
		return
	}
	w.log.Warn("the claim with the groups is no list of texts; it grants nothing",
		"claim", c.path.String(), "shape", shape, "of", w.where)
}
