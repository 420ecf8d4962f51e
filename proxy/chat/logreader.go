package chat

import "time"

// logReader is one subscriber's place in a log: it is given the messages behind start.
type logReader struct {
	log   *roomLog
	start uint64
	given uint64 // the last that was written to it, or is being written
	// read is the last that it has read: for a client, that was written; another Catflap
	// says later how far it is.
	read  uint64
	marks *marks    // nil for none
	own   *ownQueue // nil for none
	kind  readerKind
	ended bool // it is given nothing more
}

// readerKind says who reads.
type readerKind uint8

const (
	clientReads readerKind = iota
	pageReads              // a page of a browser
	remoteReads            // another Catflap
)

// window is how long a message that counts as read may prove not to be: a page that goes
// away has not shown the last ones, and another Catflap says so later.
func (k readerKind) window() time.Duration {
	switch k {
	case pageReads:
		return unheardFor
	case remoteReads:
		return recentFor
	default:
		return 0
	}
}

// marks are where a reader was within its window, one for each time that it has read.
type marks struct{ list []logMark }

// logMark says where a reader was before it read something, and when that was.
type logMark struct {
	n  uint64
	at time.Time
}

// ownQueue are messages for one reader alone.
type ownQueue struct {
	list  []ownMessage
	given int // the first of them, which were written to it and may be unread
}

// ownMessage is a message for one reader alone. It comes behind the number after.
type ownMessage struct {
	m     *outbound
	after uint64
	heir  *outbound // all are told this if the reader leaves without the message; nil: nothing
	lost  int       // so many dropped messages it tells of
}

// written returns those that were written to the reader.
func (q *ownQueue) written() []ownMessage {
	if q == nil {
		return nil
	}
	return q.list[:q.given]
}

func (q *ownQueue) all() []ownMessage {
	if q == nil {
		return nil
	}
	return q.list
}

// waiting returns those that were not.
func (q *ownQueue) waiting() []ownMessage {
	if q == nil {
		return nil
	}
	return q.list[q.given:]
}

// tell adds a message for one reader. If the person holds too much already, and something
// waits for the reader, it returns the reason: the caller ends the reader with it.
func (r *logReader) tell(m, heir *outbound) (full *Closing) {
	if full = m.keep(r.log.person); full != nil {
		if _, count := r.behind(); count > 0 {
			return full
		}
		m.mustKeep(r.log.person)
	}
	r.addOwn(ownMessage{m: m, after: r.log.head, heir: heir})
	return nil
}

func (r *logReader) addOwn(o ownMessage) {
	if r.own == nil {
		r.own = &ownQueue{}
	}
	r.own.list = append(r.own.list, o)
}

// next returns the next message for the reader, and its number; 0 if it is for the reader
// alone. The message is nil if none waits.
func (r *logReader) next() (m *outbound, n uint64) {
	if r.ended {
		return nil, 0
	}
	rest, own := r.log.list[r.log.after(r.given):], r.own.waiting()
	switch {
	case len(own) > 0 && (len(rest) == 0 || rest[0].n > own[0].after):
		return own[0].m, 0
	case len(rest) > 0:
		return rest[0].m, rest[0].n
	}
	return nil, 0
}

// gave notes that the message which next returned was written to the reader.
func (r *logReader) gave(n uint64) {
	if n > 0 {
		r.given = n
	} else {
		r.own.given++
	}
}

// reads notes that the reader has read all up to a number.
func (r *logReader) reads(n uint64, now time.Time) {
	n = min(n, r.given)
	if n <= r.read {
		return
	}
	before, from := r.floor(), r.read
	if r.kind != clientReads && r.log.hasMore(r.read, n) {
		if r.marks == nil {
			r.marks = &marks{}
		}
		r.marks.list = append(r.marks.list, logMark{r.read, now})
	}
	r.read = n
	for r.marks != nil && len(r.marks.list) > 1 {
		maxBytes, maxCount := r.log.person.hub.settings.Load().queue()
		if bytes, count := r.log.between(r.floor(), n); bytes <= maxBytes && count <= maxCount {
			break
		}
		r.marks.list = r.marks.list[1:]
	}
	if r == r.log.slowest && r.floor() > before {
		r.log.trim()
	}
	r.log.dropReadWords(from, n)
}

// readsOwn notes that the reader has read so many more messages for it alone.
func (r *logReader) readsOwn(count int) {
	written := r.own.written()
	count = min(count, len(written))
	for i := range count {
		written[i].m.letGo(r.log.person)
		written[i] = ownMessage{}
	}
	if q := r.own; count > 0 {
		q.list, q.given = q.list[count:], q.given-count
		if len(q.list) == 0 {
			r.own = nil // an idle reader holds nothing
		}
	}
}

// confirm notes that the writing of a message to a client is over, which has read it by
// that.
func (r *logReader) confirm(n uint64, now time.Time) {
	if n > 0 {
		r.reads(n, now)
	} else {
		r.readsOwn(1)
	}
}

// stop gives the reader no more messages. One of leave, die and move must follow.
func (r *logReader) stop() {
	r.ended = true
	r.log.keepFew()
}

// shown returns the last number that a page has surely shown, which went away at a moment.
func (r *logReader) shown(end time.Time) uint64 {
	if r.marks != nil {
		for _, k := range r.marks.list {
			if end.Sub(k.at) < r.kind.window() {
				return k.n
			}
		}
	}
	return r.read
}

// forget forgets the marks that are too old, of which there are some. It returns when the
// next one will be.
func (r *logReader) forget(now time.Time) (again time.Duration) {
	window, list := r.kind.window(), r.marks.list
	for len(list) > 0 && now.Sub(list[0].at) >= window {
		list = list[1:]
	}
	if len(list) == 0 {
		r.marks = nil // an idle reader holds nothing
		return 0
	}
	r.marks.list = list
	return window - now.Sub(list[0].at)
}

// leave takes the reader out, which has read all up to a number. Others read the rest. It
// reports whether a message is missing: it is forgotten, and no other reader was given it.
// The messages before come from the reader itself, and are older than the rest.
func (r *logReader) leave(n uint64, before ...*outbound) (missing bool) {
	r.log.remove(r)
	n = max(min(n, r.given), r.start)
	missing = n < min(r.log.gone, r.given) && !r.log.expects(n+1)
	r.log.part(r, n, before)
	return missing
}

// die takes the reader out. Nobody knows whether it has read the last messages that were
// written to it. They are not given again. It reports whether one of them is missing: no
// other reader was given it.
func (r *logReader) die() (missing bool) {
	l := r.log
	l.remove(r)
	for i := l.after(r.read); i < len(l.list) && l.list[i].n <= r.given; {
		if l.isCovered(i) {
			i++
			continue
		}
		missing = missing || !isWord(l.list[i].m)
		l.drop(i)
	}
	missing = len(r.dropOwn()) > 0 || missing
	l.part(r, r.read, nil)
	return missing
}

// move takes the reader out: another Catflap, which looks for the next way to the Cat. It
// has the messages that were written to it, and tells its clients itself what may be lost.
func (r *logReader) move() {
	r.log.remove(r)
	r.dropOwn()
	r.log.part(r, r.given, nil)
}

// dropOwn drops the messages for the reader alone, and returns their heirs. If one of them
// tells of dropped messages, the next newcomer is told.
func (r *logReader) dropOwn() (heirs []*outbound) {
	if r.own == nil {
		return nil
	}
	for _, o := range r.own.list {
		o.m.letGo(r.log.person)
		r.log.lost += o.lost
		if o.heir != nil {
			heirs = append(heirs, o.heir)
		}
	}
	r.own = nil
	return heirs
}

// behind returns how much waits for the reader. A message that is being written to a client
// still does.
func (r *logReader) behind() (bytes int64, count int) {
	n, own := r.given, r.own.waiting()
	if r.kind != remoteReads {
		n, own = r.read, r.own.all()
	}
	if n == r.log.head && len(own) == 0 {
		return 0, 0
	}
	return r.with(own, n, r.log.head)
}

// underWay returns how much was written to the reader that it has not read.
func (r *logReader) underWay() (bytes int64, count int) {
	return r.with(r.own.written(), r.read, r.given)
}

// with returns the size of messages of its own and of those between two numbers.
func (r *logReader) with(own []ownMessage, n, last uint64) (bytes int64, count int) {
	bytes, count = r.log.between(n, last)
	for _, o := range own {
		bytes += o.m.size()
	}
	return bytes, count + len(own)
}

// floor returns the last number that the reader has surely read.
func (r *logReader) floor() uint64 {
	if r.marks != nil {
		return r.marks.list[0].n
	}
	return r.read
}
