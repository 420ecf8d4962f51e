package fleet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// readMost is how many entries are read at once.
const readMost = 64

// arriving is what has come from one process.
type arriving struct {
	number uint64
	parts  []byte
	last   time.Time
}

// read reads this process's inbox, entry by entry, and takes out what it has read: a
// connection that breaks in between costs nothing.
func (f *Fleet) read() {
	at := "0"
	for f.stop.Err() == nil {
		ctx, cancel := context.WithTimeout(f.stop, f.o.times.beat+f.o.times.call)
		got, err := f.o.Client.XRead(ctx, &redis.XReadArgs{Streams: []string{f.inboxKey(f.self), at}, Count: readMost, Block: f.o.times.beat}).Result()
		cancel()
		switch {
		case errors.Is(err, redis.Nil):
			f.tidy()
			at = "0" // what was read is taken out; a Redis that was emptied may count from below
			continue
		case err != nil:
			f.sleep(f.o.times.beat / 4)
			continue
		}
		for _, stream := range got {
			ids := make([]string, 0, len(stream.Messages))
			for _, m := range stream.Messages {
				if sealed, ok := m.Values["m"].(string); ok {
					f.arrived([]byte(sealed))
				}
				ids = append(ids, m.ID)
				at = m.ID
			}
			ctx, cancel := context.WithTimeout(f.stop, f.o.times.call)
			_ = f.o.Client.XDel(ctx, f.inboxKey(f.self), ids...).Err() // what is read again has an old number
			cancel()
		}
	}
}

// arrived takes one entry.
func (f *Fleet) arrived(sealed []byte) {
	plain, err := f.keys.open(f.self, sealed)
	if err != nil || len(plain) < 1 || len(plain) < int(plain[0])+10 {
		f.o.Log.Warn("a message to this Catflap can't be opened: another key, or not ours")
		return
	}
	from, plain := string(plain[1:1+plain[0]]), plain[1+plain[0]:]
	number, kind, p := binary.BigEndian.Uint64(plain), plain[8], plain[9:]
	a, known := f.reading[from]
	if !known {
		a = &arriving{number: number - 1}
		f.reading[from] = a
	}
	a.last = time.Now()
	l := f.link(from)
	l.mu.Lock()
	l.heard = a.last
	l.mu.Unlock()
	switch {
	case number <= a.number:
		return // it has come before
	case number > a.number+1:
		a.parts = nil
		f.gone(from, "a message of it is missing")
	}
	a.number = number
	switch kind {
	case entryWhole:
		f.listener.Received(from, p)
	case entryFirst:
		a.parts = bytes.Clone(p)
	case entryMore:
		if a.parts != nil { // else its beginning is missing
			a.parts = append(a.parts, p...)
		}
	case entryLast:
		if message := a.parts; message != nil {
			a.parts = nil
			f.listener.Received(from, append(message, p...))
		}
	}
}

// tidy forgets processes that have said nothing for long.
func (f *Fleet) tidy() {
	for from, a := range f.reading {
		if time.Since(a.last) > inboxLife {
			delete(f.reading, from)
		}
	}
}
