package chat

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/proxy/cat"
)

// recentFor is how long after it was said a message may still be given back by another
// process: what a page has not shown, and the way there and back.
const recentFor = 2 * time.Second

// room is a person's shared session: the clients, and the one upstream to the Cat.
type room struct {
	hub    *Hub
	person *person
	// waiting says that the Cat waits for a client to take something.
	waiting atomic.Bool

	mu          lock.Of[room]
	upstream    upstream // nil while there is none
	level       level
	subscribers []*localSubscriber // in the order of their coming
	newest      newest
	space       chan struct{} // closed when a client has taken something
	absence     absence
	recent      lately // what another process may give a copy back of
	// dropped are remote subscribers that left without a word: whoever they spoke for is told by
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
	r.subscribers = append(r.subscribers, w)
	r.lower()
	r.welcome(w)
	return true
}

// welcome gives what was missed to a client that has just come in. The room is locked.
func (r *room) welcome(w *localSubscriber) {
	for _, m := range r.absence.take(r.person) {
		m.giveTo(1)
		w.add(m)
	}
	r.check()
	r.signal()
}

// release has a client be given nothing more. It is done in the locked room, so that
// nobody counts on a client that takes no more.
func (r *room) release(w *localSubscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
}

// leave takes a client out. What it was not written is kept for the next if it was
// the last, and goes to the others where they were not given it, too.
func (r *room) leave(w *localSubscriber, rest []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(w, rest)
}

// remove is leave in a locked room.
func (r *room) remove(w *localSubscriber, rest []*outbound) {
	if i := slices.Index(r.subscribers, w); i >= 0 {
		r.subscribers = slices.Delete(r.subscribers, i, i+1)
	}
	if len(r.subscribers) == 0 {
		list := append(rest, r.absence.take(r.person)...) // what was said since is later
		if far, ok := r.upstream.(interface{ away([]*outbound) bool }); ok && far.away(list) {
			list = nil // whoever has the Cat keeps it
		}
		for _, m := range list {
			r.miss(m)
		}
	} else {
		for _, m := range rest {
			if m.giveBack() {
				r.toAll(m)
			}
		}
	}
	r.signal()
	r.left()
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

// failed tells a sender, or whoever there is, that a message may be lost.
func (r *room) failed(about inbound, why []byte) {
	defer about.tellPassed()
	m := ours(why)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hub.stopping.Load() {
		return // that is what they are told
	}
	if _, told := r.dropped[about.from]; told {
		return // by the process that it came from
	}
	r.hub.o.Observe(Event{Kind: EventUndelivered, User: r.newest.user})
	for _, w := range r.subscribers {
		if w.n == about.from && w.remote != nil && w.isEnding() {
			return // as above
		}
		if w.n == about.from && !w.isEnding() {
			if w.remote != nil {
				m = failure(about.ref, why)
			}
			m.giveTo(1)
			w.enqueue(m)
			return
		}
	}
	r.toAll(m)
	r.check()
}

// toAll tells everybody who is there, or keeps it for whoever comes. The room is
// locked.
func (r *room) toAll(m *outbound) {
	there := slices.DeleteFunc(slices.Clone(r.subscribers), (*localSubscriber).isEnding)
	m.giveTo(len(there))
	for _, w := range there {
		w.enqueue(m)
	}
	if len(there) == 0 {
		r.miss(m)
	}
}

// miss keeps a message that nobody is there to hear. The words of an answer are
// worth nothing once the whole of it has come. The room is locked.
func (r *room) miss(m *outbound) {
	a := &r.absence
	a.since = time.Now()
	if m.what == cat.FrameChat {
		a.missed = slices.DeleteFunc(a.missed, func(before *outbound) bool {
			word := before.what == cat.FrameToken
			if word {
				r.forgo(before)
			}
			return word
		})
	}
	if m.keep(r.person) != nil {
		r.lose()
		return
	}
	a.missed = append(a.missed, m)
	a.bytes += m.size()
	for bytes, count := r.hub.settings.Load().queue(); len(a.missed) > 1 && (a.bytes > bytes || len(a.missed) > count); {
		r.forgo(a.missed[0])
		a.missed[0] = nil
		a.missed = a.missed[1:]
		r.lose()
	}
}

// forgo gives a kept message's memory back. The room is locked.
func (r *room) forgo(m *outbound) {
	r.absence.bytes -= m.size()
	m.letGo(r.person)
}

// lose notes that a message is lost, which whoever comes back is told.
func (r *room) lose() {
	r.absence.dropped++
	r.hub.o.Observe(Event{Kind: EventMissed, User: r.newest.user})
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
	a.take(r.person)
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
	case r.hub.stopping.Load(), r.upstream == nil && len(a.missed) == 0:
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
	return r.upstream == nil && len(r.absence.missed) == 0 && len(r.subscribers) == 0
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

// hasMissed reports whether there is something to tell to whoever comes back.
func (r *room) hasMissed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.absence.missed) > 0
}

// handOver gives what is kept, if nobody is there, to whoever has the Cat now. If that is
// this process, whoever comes back has linger from now on.
func (r *room) handOver(o *ownerUpstream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream != o || len(r.subscribers) > 0 {
		return
	}
	if !o.isFar() {
		r.absence.since = time.Now()
		r.check()
		return
	}
	list := r.absence.take(r.person)
	if !o.away(list) { // that way has ended already
		for _, m := range list {
			r.miss(m)
		}
	}
}

// redeliver tells what was given to a process that has died, if nobody else was told.
func (r *room) redeliver(rest []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range rest {
		if m.only || len(r.subscribers) == 0 {
			r.toAll(m)
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

// leaveRemote takes a remote subscriber out that gives copies back of what its clients have not read, and
// what it has not taken itself.
func (r *room) leaveRemote(w *localSubscriber, copies, unread []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range unread {
		m.backs = append(m.backs, w.remote.process)
	}
	rest := slices.Clone(copies)
	for i, m := range slices.Backward(copies) { // what was read is older than what was not
		m.what = ofCat(m.kind, m.data).what
		rest[i] = r.original(m, w.remote.process)
	}
	r.remove(w, append(rest, unread...))
}

// answeredRemote tells a remote subscriber that a message of its clients' is answered.
func (r *room) answeredRemote(m inbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.n == m.from && !w.isEnding() {
			w.enqueue(answeredFar(m.ref))
		}
	}
}

// redirectRemotes has all remote subscribers look for the person's socket again.
func (r *room) redirectRemotes() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.remote != nil {
			w.end(closeMoved)
		}
	}
}

// handsOver reports that this process stops, and leaves the person to another.
func (r *room) handsOver() bool {
	r.mu.Lock()
	o, ok := r.upstream.(*ownerUpstream)
	r.mu.Unlock()
	if !ok {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing != nil && *o.closing == closeStopping
}

// announce tells all clients something of our own.
func (r *room) announce(m *outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.toAll(m)
	r.check()
}

// broadcast passes a message of the Cat's to all. The Cat waits for a client that is
// behind, but not for long if another is not: then that one is ended, so that the
// others need not wait for it.
func (r *room) broadcast(m *outbound) {
	var few [4]*localSubscriber
	for tried := false; ; {
		r.mu.Lock()
		idle, wait := r.pass(m, few[:0])
		if wait == 0 {
			r.waiting.Store(false)
			r.mu.Unlock()
			for _, w := range idle {
				w.writeHere()
			}
			return
		}
		if !tried { // whoever takes something says so from here on; look again
			tried = true
			r.waiting.Store(true)
			r.mu.Unlock()
			continue
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
		w.charge(m.size(), took)
	}
}

// pass queues a message for everybody, and ends whoever has been waited for long
// enough. It returns how long to wait first for those who are behind, or else those
// whose writing the caller must see to. The room is locked.
func (r *room) pass(m *outbound, idle []*localSubscriber) ([]*localSubscriber, time.Duration) {
	if m.via != nil && m.via.isEnding() {
		return nil, 0 // whoever has the Cat keeps it
	}
	var few [4]*localSubscriber
	ready, slow := few[:0], []*localSubscriber(nil)
	for _, w := range r.subscribers {
		switch {
		case w.isEnding():
		case w.takes(m.size()):
			ready = append(ready, w)
		default:
			slow = append(slow, w)
		}
	}
	wait := time.Duration(0)
	for _, w := range slow {
		others, stuck := w.waitedFor()
		left := r.hub.times.stall - stuck
		if len(ready) > 0 {
			left = r.hub.times.grace - others
		}
		if left > 0 {
			wait = max(wait, left)
		} else {
			w.end(closeSlow)
		}
	}
	if wait > 0 {
		return nil, wait
	}
	m.passed = true
	if len(ready) > 1 {
		m.prepare()
	}
	m.giveTo(len(ready))
	for _, w := range ready {
		if w.addIdle(m) {
			idle = append(idle, w)
		}
	}
	if slices.ContainsFunc(ready, func(w *localSubscriber) bool { return w.remote != nil }) {
		r.remember(m)
	}
	if len(ready) == 0 {
		r.miss(m)
	}
	return idle, 0
}

// wrote is told that a client has taken something.
func (r *room) wrote() {
	if r.waiting.Load() {
		r.mu.Lock()
		r.signal()
		r.mu.Unlock()
	}
}

// signal lets heard look again. The room is locked.
func (r *room) signal() {
	if r.space != nil {
		close(r.space)
		r.space = nil
	}
}

// remember keeps what is given to another process, and not to that alone. What that one
// gives back is a copy, and who else still has the message is counted with the original.
// The room is locked.
func (r *room) remember(m *outbound) {
	if m.given > 1 && m.what != cat.FrameToken && m.keep(r.person) == nil {
		bytes, count := r.hub.settings.Load().queue()
		r.recent.keep(r.person, m, bytes, count, recentFor, r.forgetRecent)
	}
}

func (r *room) forgetRecent() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recent.forget(r.person, recentFor)
}

// original is what a copy was made of that a process gives back, or the copy. No process
// gives a message back twice: what it has given back already is another that says the
// same, or is counted. The room is locked.
func (r *room) original(m *outbound, process string) *outbound {
	if m.only {
		m.giveTo(1)
		return m
	}
	for _, x := range slices.Backward(r.recent.list) {
		if x.m.kind == m.kind && bytes.Equal(x.m.data, m.data) && !slices.Contains(x.m.backs, process) {
			x.m.backs = append(x.m.backs, process)
			return x.m
		}
	}
	m.giveTo(2) // others were given it, too
	return m
}

// admit lets a remote subscriber in, if there is a socket of this process's.
func (r *room) admit(h *Hub, from string, p *clusterMessage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.upstream.(*ownerUpstream)
	if !ok {
		return false
	}
	o.mu.Lock()
	l, own := o.now.(*catSocket)
	missing := o.spoken && p.n&openAgain != 0
	own = own && o.closing == nil && o.token == string(p.data)
	o.mu.Unlock()
	if !own || l.isEnding() || !h.o.Fleet.Holds(string(p.data)) {
		return false
	}
	if p.n&openLate != 0 {
		l.cut() // another's socket was closed after this one had opened: it may be silent now
	}
	g := &remoteSubscriber{hub: h, process: from, session: p.session, rights: rightsIn(p.n), unwatch: h.o.Fleet.Watch(from)}
	g.space = sync.NewCond(&g.mu)
	w := &localSubscriber{remote: g, isOpen: true}
	w.maxBytes, w.maxCount = h.settings.Load().queue()
	w.hub, w.person, w.n = h, r.person, guestNumbers+h.remotes.Add(1)
	g.subscriber = w
	h.router.addGuest(g)
	g.owed = l.underWay(func(uint64) bool { return true })
	g.transmit(&clusterMessage{kind: messageOpened, n: g.owed})
	r.subscribers = append(r.subscribers, w)
	r.lower()
	if missing { // it was said while they had no way to hear it
		w.add(ours(missed()))
	}
	r.welcome(w)
	return true
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
	switch l := r.upstream.(type) {
	case *catSocket:
		l.cut()
	case *ownerUpstream:
		l.reopen()
	}
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
func (r *room) reportPending(l *catSocket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.subscribers {
		if w.remote == nil || w.isEnding() {
			continue
		}
		n := l.underWay(func(from uint64) bool { return from != w.n })
		if n != 0 || w.remote.owed != 0 {
			w.remote.owed = n
			w.enqueue(inherit(n))
		}
	}
}
