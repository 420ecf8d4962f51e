package chat

import (
	"errors"
	"io"

	"github.com/gorilla/websocket"
)

// leastRoom is the room that a message gets at first. Whatever its head claims, it
// gets more only when that is full.
const leastRoom = 512

// whole reads a message into memory, at most the input's limit of it, and counts it
// there; release gives that back.
func (h *Hub) whole(in *input, kind int) (data []byte, release func(), err error) {
	text := textCheck{on: kind == websocket.TextMessage}
	counted := int64(0)
	release = func() { h.drop(counted) }
	defer func() {
		if err != nil {
			h.drop(counted)
		}
	}()
	data = make([]byte, 0, min(in.left, leastRoom))
	for {
		if len(data) == cap(data) {
			next := int64(max(2*cap(data), leastRoom))
			if next > piece { // what is small is gone at once
				if !h.hold(next - counted) {
					return nil, nil, &EndedError{closeFull}
				}
				counted = next
			}
			data = append(make([]byte, 0, next), data...)
		}
		n, failed := in.Read(data[len(data):cap(data)])
		ok := text.write(data[len(data) : len(data)+n])
		data = data[:len(data)+n]
		switch {
		case failed != nil && !errors.Is(failed, io.EOF):
			return nil, nil, failed
		case !ok, failed != nil && !text.end():
			return nil, nil, errNotUTF8
		case failed != nil:
			return data, release, nil
		}
	}
}
