package chat

import (
	"errors"
	"io"

	"github.com/gorilla/websocket"
)

// leastRoom is the room that a message gets at first. Whatever its head claims, it
// gets more only when that is full.
const leastRoom = 512

// whole reads the message that has begun into memory, at most the input's limit of it.
// What it holds there is counted, also with an error; the caller drops it.
func (p *peer) whole(kind int) (data []byte, held int64, err error) {
	in := p.in
	text := textCheck{on: kind == websocket.TextMessage}
	data = make([]byte, 0, min(in.left, leastRoom)+1) // there is always room to find the end
	for {
		if len(data) == cap(data) {
			next := int64(max(2*cap(data), leastRoom))
			if next > piece { // what is small is gone at once
				if !p.hub.hold(next - held) {
					return nil, held, &EndedError{closeFull}
				}
				held = next
			}
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
