package fleet

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// part is how much of a message is one entry of a stream. A batch of them is in
	// memory several times: as it is, sealed, and on its way.
	part = 32 << 10
	// maxWaiting bounds what waits for Redis, in bytes, to one process.
	maxWaiting = 64 << 20
	// maxInbox is about how many entries a process that does not read may have.
	maxInbox = 20000
	// batch is how many entries go to Redis at once.
	batch = 64
)

// link is the way to one other process. Whatever is sent has a number, so that the
// other end sees what is missing, and what came twice since an answer was lost.
type link struct {
	fleet *Fleet
	to    string

	mu      sync.Mutex
	number  uint64
	waiting [][]byte
	bytes   int
	sending bool
	watched int
	heard   time.Time // from the other end
}

// What an entry is.
const (
	entryBeat = iota
	entryWhole
	entryFirst // there is more of the message
	entryMore
	entryLast
)

func (f *Fleet) link(to string) *link {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.links[to]
	if l == nil {
		l = &link{fleet: f, to: to}
		f.links[to] = l
	}
	return l
}

// Send implements chat.Fleet.
func (f *Fleet) Send(to string, message []byte) {
	l := f.link(to)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(message) <= part {
		l.add(entryWhole, message)
		return
	}
	l.add(entryFirst, message[:part])
	for message = message[part:]; len(message) > part; message = message[part:] {
		l.add(entryMore, message[:part])
	}
	l.add(entryLast, message)
}

// add queues one entry: sender, number, kind, what it says. The link is locked.
func (l *link) add(kind byte, p []byte) {
	if l.fleet.stop.Err() != nil {
		return
	}
	l.number++
	plain := make([]byte, 0, len(l.fleet.self)+len(p)+10)
	plain = append(plain, byte(len(l.fleet.self))) //nolint:gosec // 26
	plain = append(plain, l.fleet.self...)
	plain = binary.BigEndian.AppendUint64(plain, l.number)
	plain = append(append(plain, kind), p...)
	if l.bytes+len(plain) > maxWaiting {
		l.bytes, l.waiting = 0, nil // the other end sees that a number is missing
		go l.fleet.gone(l.to, "too much waits for it")
		return
	}
	l.waiting = append(l.waiting, plain)
	l.bytes += len(plain)
	if !l.sending {
		l.sending = true
		l.fleet.running.Go(l.send)
	}
}

// send sends what waits, until nothing does. What may have been sent is sent again.
func (l *link) send() {
	for {
		l.mu.Lock()
		n := min(batch, len(l.waiting))
		list := l.waiting[:n:n]
		if n == 0 {
			l.sending, l.waiting = false, nil
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		if err := l.write(list); err != nil {
			if !l.fleet.sleep(l.fleet.o.times.beat / 4) {
				return
			}
			continue
		}
		l.mu.Lock()
		if len(l.waiting) >= n && &l.waiting[0][0] == &list[0][0] { // else they were given up
			for _, p := range list {
				l.bytes -= len(p)
			}
			clear(l.waiting[:n])
			l.waiting = l.waiting[n:]
		}
		l.mu.Unlock()
	}
}

func (l *link) write(list [][]byte) error {
	ctx, cancel := context.WithTimeout(l.fleet.stop, 2*l.fleet.o.times.call)
	defer cancel()
	key := l.fleet.inboxKey(l.to)
	_, err := l.fleet.o.Client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, plain := range list {
			p.XAdd(ctx, &redis.XAddArgs{Stream: key, MaxLen: maxInbox, Approx: true, Values: []any{"m", l.fleet.keys.seal(l.to, plain)}})
		}
		p.PExpire(ctx, key, inboxLife)
		return nil
	})
	return err
}

// flush waits until what was sent is in Redis, but not for long.
func (f *Fleet) flush() {
	for end := time.Now().Add(f.o.times.call); time.Now().Before(end); time.Sleep(time.Millisecond) {
		f.mu.Lock()
		idle := true
		for _, l := range f.links {
			l.mu.Lock()
			idle = idle && !l.sending
			l.mu.Unlock()
		}
		f.mu.Unlock()
		if idle {
			return
		}
	}
}
