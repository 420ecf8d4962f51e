package chat

import (
	"context"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/lock"
)

// recentFor is how long after it was said a message may still be given back by another
// process: what a page has not shown, and the way there and back.
const recentFor = 2 * time.Second

// room is a person's shared session: the clients, and the one upstream to the Cat.
type room struct {
	hub         *Hub
	person      *person
	mu          lock.Of[room]
	upstream    upstream // nil while there is none
	level       level
	subscribers []subscriber // in the order of their coming
	log         roomLog
	newest      newest
	space       chan struct{} // closed when a client has taken something; nil: nobody waits
	absence     absence
	tidying     *time.Timer // set while the log keeps messages that were read
	// dropped are remote subscribers that left without a word: those they spoke for are told by
	// their own process of what was under way.
	dropped map[uint64]struct{}
}

// newest is how the upstream is opened again: as the client that came last would.
type newest struct {
	user *authhandlers.AuthUserInfo
	dial func(context.Context) (*websocket.Conn, error)
}

// enter lets a client in that comes, when there is an upstream to the Cat. From here on it
// hears what is said, and first what was missed, though it gets to read it only when
// it is open: without that, it would miss what is said at that moment. Without an
// error, leave must follow.
func (r *room) enter(ctx context.Context, w *localSubscriber, j *Joining) error {
	p := r.person
	if err := p.lockDial(ctx); err != nil {
		return err
	}
	defer p.unlockDial()
	if r.join(w, j, nil) {
		return nil
	}
	if err := p.clear(ctx, closeChanged); err != nil {
		return err
	}
	r.mu.Lock()
	r.newest, r.level.most = newest{j.User, j.Dial}, r.hub.rightsOf(j.User)
	r.mu.Unlock()
	within := *j
	within.Dial = func(ctx context.Context) (*websocket.Conn, error) { return r.dialWithin(ctx, j.Dial) }
	l, err := openUpstream(ctx, p, &within)
	if err != nil {
		return err
	}
	r.join(w, j, l)
	l.start(j.User)
	return nil
}

// join takes a client in, if there is an upstream for it; l is a new one.
func (r *room) join(w *localSubscriber, j *Joining, l upstream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l != nil {
		r.upstream, r.dropped = l, nil
	} else if r.upstream == nil || r.upstream.isEnding() || r.mayRise(j) {
		return false
	}
	r.newest = newest{j.User, j.Dial}
	r.add(w)
	return true
}

// add takes a subscriber in, which is given the messages that nobody has read. The room is
// locked.
func (r *room) add(w subscriber) {
	r.subscribers = append(r.subscribers, w)
	r.log.join(&w.member().reader)
	r.lower()
	w.wake(false)
	r.check()
	r.signal()
}

// remove takes a subscriber out whose reader has left. With missing, a message is lost
// that nobody has read. The room is locked.
func (r *room) remove(w subscriber, missing bool) {
	if i := slices.Index(r.subscribers, w); i >= 0 {
		r.subscribers = slices.Delete(r.subscribers, i, i+1)
	}
	if missing {
		r.tellAll(ours(missed()))
	}
	if len(r.subscribers) == 0 {
		r.handBack()
	} else {
		r.wakeAll() // a message that it has not read may come again
	}
	r.signal()
	r.left()
}

// handBack gives the messages that nobody has read to the process that has the Cat, if that
// is another. The room is locked.
func (r *room) handBack() (handed bool) {
	if handed = r.upstream != nil && r.upstream.away(r.log.unread()); handed {
		r.log.settle()
	}
	return handed
}

// send passes a client's message to the upstream. False means that there is none that
// takes it.
func (r *room) send(m inbound) (taken bool) {
	r.mu.Lock()
	l := r.upstream
	r.mu.Unlock()
	return l != nil && l.send(m)
}

// redial opens a socket at the Cat as the configuration in force has it.
func (r *room) redial(ctx context.Context) (*websocket.Conn, error) {
	r.mu.Lock()
	n := r.newest
	r.mu.Unlock()
	return r.dialWithin(ctx, func(ctx context.Context) (*websocket.Conn, error) {
		if r.hub.o.Redial != nil {
			return r.hub.o.Redial(ctx, n.user)
		}
		return n.dial(ctx)
	})
}

// failed tells a sender, or all who are there, that a message may be lost.
func (r *room) failed(about inbound, why []byte) {
	defer about.tellPassed()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hub.stopping.Load() {
		return // that is what they are told
	}
	if _, told := r.dropped[about.from]; told {
		return // by the process that it came from
	}
	r.hub.o.Observe(Event{Kind: EventUndelivered, User: r.newest.user})
	m := ours(why)
	if i := slices.IndexFunc(r.subscribers, func(w subscriber) bool { return w.number() == about.from }); i >= 0 {
		w := r.subscribers[i]
		own, heir := w.failure(about, why)
		if own != nil {
			r.tell(w, own, heir)
			return
		}
		if m = heir; m == nil {
			return
		}
	}
	r.tellAll(m)
	r.check()
}

// tell tells one subscriber something; all are told the heir, if there is one, should it
// leave without that. The room is locked.
func (r *room) tell(w subscriber, m, heir *outbound) {
	p := w.member()
	if p.reader.ended {
		return
	}
	slow := !p.takes(m.size())
	switch full := p.reader.tell(m, heir); {
	case slow:
		w.end(closeSlow)
	case full != nil:
		w.end(*full)
	default:
		w.wake(false)
	}
}

// tellOne is tell for those who have not locked the room.
func (r *room) tellOne(w subscriber, m *outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(w, m, nil)
}

// tellAll tells everybody who is there, or keeps it for the next who comes. It waits for
// nobody. The room is locked.
func (r *room) tellAll(m *outbound) {
	for _, w := range r.subscribers {
		if p := w.member(); w.isEnding() {
			r.stopReading(w)
		} else if !p.takes(m.size()) {
			w.end(closeSlow)
		}
	}
	r.append(m)
	r.wakeAll()
}

// append adds a message to the log. The room is locked.
func (r *room) append(m *outbound) {
	if !r.log.hasReader() {
		r.absence.since = time.Now()
	}
	m.only = m.only || m.via == nil && !r.log.hasRemote()
	full := r.log.append(m)
	if full == nil {
		return
	}
	for _, w := range r.subscribers {
		if _, count := w.member().reader.behind(); count > 1 {
			w.end(*full)
		}
	}
}

// stopReading has a subscriber that is ending count no more as one that is there. The room
// is locked.
func (r *room) stopReading(w subscriber) {
	if p := w.member(); !p.reader.ended {
		p.reader.stop()
	}
}

func (r *room) wakeAll() {
	for _, w := range r.subscribers {
		w.wake(false)
	}
}

// left follows the leaving of a client. The room is locked.
func (r *room) left() {
	if len(r.subscribers) == 0 {
		r.absence.alone = time.Now()
		r.absence.since = r.absence.alone
	}
	r.check()
}

// check closes the upstream when nobody has been there for long enough and no answer
// is in progress, and sees to it that it is looked at again. The room is locked.
func (r *room) check() {
	a := &r.absence
	empty := len(r.subscribers) == 0
	if lingers := empty && r.upstream != nil; lingers != a.counted {
		a.counted = lingers
		r.hub.counts.lingering.Add(map[bool]int64{true: 1, false: -1}[lingers])
	}
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	if !empty {
		return
	}
	if wait := r.wait(time.Now()); wait > 0 {
		a.timer = time.AfterFunc(wait, r.look)
		return
	}
	r.log.settle()
	if r.upstream != nil {
		r.upstream.end(closeUnused)
		r.upstream = nil
		r.check()
	}
	r.person.forgetSoon()
}

// wait is how long the room is still kept as it is. The room is locked.
func (r *room) wait(now time.Time) time.Duration {
	a := &r.absence
	switch {
	case r.hub.stopping.Load(), r.upstream == nil && !r.log.isWaiting():
		return 0
	case now.Sub(a.alone) >= r.hub.times.turn: // whatever is said still
		return 0
	}
	if wait := a.since.Add(r.hub.settings.Load().Linger).Sub(now); wait > 0 {
		return wait
	}
	if r.upstream != nil && r.upstream.busy() {
		return a.alone.Add(r.hub.times.turn).Sub(now)
	}
	return 0
}

func (r *room) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check()
}

// answered looks whether the upstream was kept for the answer alone.
func (r *room) answered(m inbound) {
	if m.ref != 0 {
		r.answeredRemote(m)
	}
	r.look()
}

// stop closes the upstream if nobody is there: the hub is stopping.
func (r *room) stop() { r.look() }

// abort cuts the upstream.
func (r *room) abort() {
	for _, x := range r.person.upstreams() {
		x.abort()
	}
}

func (r *room) isEmpty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upstream == nil && len(r.subscribers) == 0 && !r.log.isWaiting()
}

// abandoned reports whether nobody is there, and lets go of the upstream then.
func (r *room) abandoned(l upstream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream == l && len(r.subscribers) > 0 {
		return false
	}
	r.drop(l)
	return true
}

// hasMissed reports whether there is something to tell to the next who comes.
func (r *room) hasMissed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.isWaiting()
}

// handOver gives the messages that nobody has read, if nobody is there, to the process that
// has the Cat now. If that is this one, the next who comes has linger from now on.
func (r *room) handOver(l upstream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream == l && len(r.subscribers) == 0 && !r.handBack() {
		r.absence.since = time.Now()
		r.check()
	}
}

// redeliver tells what was given to a process that has died, if nobody else was told.
func (r *room) redeliver(rest []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range rest {
		if m.only || !r.log.hasReader() {
			m.via, m.n = nil, 0
			r.tellAll(m)
		}
	}
	r.check()
}

// gone ends everybody, since the upstream has ended for good.
func (r *room) gone(l upstream, c Closing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream == l {
		for _, w := range r.subscribers {
			w.end(c)
		}
	}
	r.drop(l)
}

// drop lets go of an upstream. The room is locked.
func (r *room) drop(l upstream) {
	if r.upstream == l {
		r.upstream = nil
		r.check()
	}
}

// expel ends the upstream that was kept for somebody who is not let in any more.
func (r *room) expel(judge Judge) {
	r.mu.Lock()
	l, u := r.upstream, r.newest.user
	r.mu.Unlock()
	if l == nil || u == nil {
		return
	}
	if _, c := judge(u); c != nil {
		l.end(*c)
	}
}

// answeredRemote tells the subscriber that a message of its own is answered.
func (r *room) answeredRemote(m inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.number() == m.from && !w.isEnding() {
			r.tell(w, w.answered(m.ref), nil)
		}
	}
}

// redirectRemotes has all other processes look for the person's socket again.
func (r *room) redirectRemotes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		w.redirect()
	}
}

// handsOver reports that this process stops, and leaves the person to another.
func (r *room) handsOver() bool {
	r.mu.Lock()
	l := r.upstream
	r.mu.Unlock()
	return l != nil && l.handsOver()
}

// announce tells all clients something of our own.
func (r *room) announce(m *outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellAll(m)
	r.check()
}

// broadcast passes a message of the Cat's to all. The Cat waits for a client that is
// behind, but not for long if another is not: then that one is ended, so that the
// others need not wait for it.
func (r *room) broadcast(m *outbound) {
	var few [4]subscriber
	for {
		r.mu.Lock()
		idle, wait := r.pass(m, few[:0])
		n := r.log.head
		if wait == 0 {
			r.mu.Unlock()
			for _, w := range idle {
				w.writeHere(m, n)
			}
			return
		}
		if r.space == nil {
			r.space = make(chan struct{})
		}
		space := r.space
		r.mu.Unlock()
		r.await(m, space, wait)
	}
}

// await waits for a client to take something, and charges that to those who are behind.
func (r *room) await(m *outbound, space <-chan struct{}, most time.Duration) {
	start := time.Now()
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-space:
	case <-t.C:
	}
	took := time.Since(start)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		w.member().charge(m.size(), took)
	}
}

// pass adds a message to the log, and ends those that have been waited for long enough. It
// returns how long to wait first for those who are behind, or else those whose writing the
// caller must see to. The room is locked.
func (r *room) pass(m *outbound, idle []subscriber) ([]subscriber, time.Duration) {
	if m.via != nil && m.via.isEnding() {
		return nil, 0 // the process that has the Cat keeps it
	}
	ready, wait := r.ready(m)
	if wait > 0 {
		return nil, wait
	}
	if ready > 1 {
		m.prepare()
	}
	r.append(m)
	if m.via != nil {
		m.via.last.Store(m.n)
	}
	for _, w := range r.subscribers {
		if w.wake(true) {
			idle = append(idle, w)
		}
	}
	return idle, 0
}

// ready counts the subscribers that there is room for a message with, and ends those that have
// been waited for long enough. It returns how long to wait for the others. The room is
// locked.
func (r *room) ready(m *outbound) (ready int, wait time.Duration) {
	var few [4]subscriber
	slow := few[:0]
	for _, w := range r.subscribers {
		switch {
		case w.isEnding():
			r.stopReading(w)
		case w.member().takes(m.size()):
			ready++
		default:
			slow = append(slow, w)
		}
	}
	for _, w := range slow {
		p := w.member()
		left := r.hub.times.stall - p.stuck
		if ready > 0 {
			left = r.hub.times.grace - p.waited
		}
		if left > 0 {
			wait = max(wait, left)
		} else {
			w.end(closeSlow)
		}
	}
	return ready, wait
}

// signal lets heard look again. The room is locked.
func (r *room) signal() {
	if r.space != nil {
		close(r.space)
		r.space = nil
	}
}

// tidySoon has the log look soon what it need not keep any more. The room is locked.
func (r *room) tidySoon(reader *logReader) {
	if r.tidying == nil && reader.marks != nil {
		r.tidying = time.AfterFunc(reader.kind.window(), r.tidy)
	}
}

func (r *room) tidy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tidying = nil
	again := r.log.tidy(time.Now(), func(reader *logReader) bool {
		i := slices.IndexFunc(r.subscribers, func(w subscriber) bool { return &w.member().reader == reader })
		return i >= 0 && r.subscribers[i].isClosing()
	})
	if again > 0 {
		r.tidying = time.AfterFunc(again, r.tidy)
	}
}

// dialWithin opens a socket at the Cat within the room's level.
func (r *room) dialWithin(ctx context.Context, dial func(context.Context) (*websocket.Conn, error)) (*websocket.Conn, error) {
	r.mu.Lock()
	most := r.level.most
	r.level.opened = most
	r.mu.Unlock()
	conn, err := dial(context.WithValue(ctx, withinKey{}, most))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.level.most.Covers(most) {
		_ = conn.Close() // nothing was said over it
		return nil, errFewerRights
	}
	return conn, nil
}

// lower has the upstream opened again if it was opened with rights that somebody who is
// here does not have, or no longer. The room is locked.
func (r *room) lower() {
	if len(r.subscribers) == 0 && r.newest.user != nil {
		r.level.most &= r.hub.rightsOf(r.newest.user)
	}
	for _, w := range r.subscribers {
		r.level.most &= w.rights()
	}
	if r.upstream == nil || r.level.most.Covers(r.level.opened) {
		return
	}
	r.upstream.reopen()
}

// mayRise reports an upstream that nobody uses and that has fewer rights than the client
// who comes: they get a new one. The room is locked.
func (r *room) mayRise(j *Joining) bool {
	return len(r.subscribers) == 0 && !r.upstream.busy() && !r.level.opened.Covers(r.hub.rightsOf(j.User))
}

// lowered is lower for those who have not locked the room.
func (r *room) lowered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lower()
}

// reportPending tells each other process how many answers are under way to clients that are not
// its own: should this one die, its clients hear that they may have missed them.
func (r *room) reportPending(underWay func(to func(from uint64) bool) uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.isEnding() {
			continue
		}
		n := underWay(func(from uint64) bool { return from != w.number() })
		if m := w.pending(n); m != nil {
			r.tell(w, m, nil)
		}
	}
}
