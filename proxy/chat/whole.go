package chat

import (
	"errors"
	"io"

	"github.com/gorilla/websocket"
)

const (
	// leastRoom is the room that a message gets at first. Whatever its head claims, it
	// gets more only when that is full: twice as much up to enoughRoom, and then a
	// quarter more, so that little is held ahead of what has come.
	leastRoom  = 512
	enoughRoom = 64 << 10
)

// whole reads the message that has begun into memory, at most the input's limit of it.
// What it holds there is counted with the person, also with an error; the caller drops it.
func (p *peer) whole(who *person, kind int) (data []byte, held int64, err error) {
	in := p.in
	text := textCheck{on: kind == websocket.TextMessage}
	for {
		if len(data) == cap(data) {
			next := in.room(int64(len(data)))
			if c := who.hold(next-held, p.from); c != nil {
				return nil, held, &EndedError{*c}
			}
			held = next
			data = append(make([]byte, 0, next), data...)
		}
		n, failed := in.Read(data[len(data):cap(data)])
		p.alive(in.came) // also within a message that comes slowly
		ok := text.write(data[len(data) : len(data)+n])
		data = data[:len(data)+n]
		switch {
		case failed != nil && !errors.Is(failed, io.EOF):
			return nil, held, failed
		case !ok, failed != nil && !text.end():
			return nil, held, errNotUTF8
		case failed != nil:
			return data, held, nil
		}
	}
}

// room is how much a message gets of which so many bytes have come and fill all that it
// had. There is always room to find the end.
func (in *input) room(have int64) int64 {
	next := max(2*have, leastRoom)
	if have >= enoughRoom {
		next = have + have/4
	}
	if in.final {
		next = min(next, have+in.left)
	}
	if in.limit > 0 {
		next = min(next, in.limit)
	}
	return max(next, have) + 1 + int64(in.spare)
}
