package inquiry

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/tokencache"
)

// absences is after how many looks somebody who is not there any more is forgotten.
const absences = 4

// connected is a credential whose person has something open.
type connected struct {
	info    authhandlers.AuthUserInfo
	until   time.Time // of the last answer; the zero time: none yet
	good    time.Time // when the service accepted them last, or they were first seen
	seen    time.Time // when they were judged last
	refused error
	asking  bool
}

// Rejudge implements authhandlers.Rejudger. It says what the service has said last, and
// has it asked again in the background where that is due.
func (d *Desk) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	credential, permissions, err := d.sealer.open(u.Evidence)
	if err != nil {
		return nil, authhandlers.Reject(authhandlers.CodeUnclaimed, "sign in again", "the evidence is %w", err)
	}
	now, k := d.env.Now(), d.cache.Key(credential)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used = now
	c := d.live[k]
	if c == nil {
		c = &connected{info: *u, good: now}
		c.info.Permissions, c.info.Evidence = permissions, ""
		if e, err := d.cache.Get(k, now); err == nil {
			c.info, c.until = e.info, e.until
		}
		d.live[k] = c
	}
	c.seen = now
	switch {
	case c.refused != nil:
		return nil, c.refused
	case now.After(c.good.Add(d.life + d.interval + d.o.Stale)):
		return nil, authhandlers.Reject(authhandlers.CodeUnclaimed, "sign in again", "for too long nobody could be asked whether the credential still holds")
	}
	if !now.Before(c.until) && !c.asking {
		c.asking = true
		go d.askAgain(k, credential, c, now)
	}
	info := c.info
	return &info, nil
}

// met notes an answer that has let somebody in, which counts for what they have open too.
func (d *Desk) met(k tokencache.Key, e *entry, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used = now
	if c := d.live[k]; c != nil && e.until.After(c.until) {
		c.info, c.until, c.good, c.refused = e.info, e.until, now, nil
	}
}

// askAgain asks about somebody who is connected, and has everybody judged again when the
// answer has changed.
func (d *Desk) askAgain(k tokencache.Key, credential string, c *connected, now time.Time) {
	e, err := d.ask(d.kept, d.turns.Do, k, credential, now)
	d.mu.Lock()
	defer d.mu.Unlock()
	c.asking = false
	if _, refused := errors.AsType[*authhandlers.Rejection](err); refused {
		c.refused = err
		d.generation++
		return
	}
	if err != nil {
		return // at the next look
	}
	if !equal(&c.info, &e.info) {
		d.generation++
	}
	c.info, c.until, c.good = e.info, e.until, d.env.Now()
}

// Generation implements authhandlers.Rejudger. It changes with the answers, and while
// people are in at each look, so that they are asked about again.
func (d *Desk) Generation() uint64 {
	now := d.env.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	tick := now.UnixNano() / int64(d.interval)
	if tick == d.tick {
		return d.generation
	}
	d.tick = tick
	absent := absences * d.interval
	if now.Sub(d.used) <= absent+d.o.Notice {
		d.generation++
	}
	maps.DeleteFunc(d.live, func(_ tokencache.Key, c *connected) bool { return !c.asking && now.Sub(c.seen) > absent })
	return d.generation
}

// equal reports two answers that let the same person do the same.
func equal(a, b *authhandlers.AuthUserInfo) bool {
	same := a.Issuer == b.Issuer && a.Subject == b.Subject && a.Name == b.Name && a.SessionID == b.SessionID && a.Expiry.Equal(b.Expiry)
	return same && slices.Equal(a.Groups, b.Groups) && maps.EqualFunc(a.Claims, b.Claims, slices.Equal) &&
		slices.Equal(a.Permissions, b.Permissions) && (a.Permissions == nil) == (b.Permissions == nil)
}
