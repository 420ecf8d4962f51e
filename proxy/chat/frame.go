package chat

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// frame reads the head of the next frame, and a control frame as a whole. It
// returns the opcode; a continuation is returned as 0.
func (in *input) frame() (int, error) {
	if err := in.some(!in.open); err != nil {
		return 0, err
	}
	if err := in.fill(2); err != nil {
		return 0, err
	}
	head := in.use(2)
	opcode, final := int(head[0]&0x0f), head[0]&0x80 != 0
	length := int64(head[1] & 0x7f)
	control := opcode >= websocket.CloseMessage
	switch {
	case head[0]&0x70 != 0:
		return 0, fmt.Errorf("%w: a reserved bit is set", errProtocol)
	case opcode > websocket.PongMessage, opcode > websocket.BinaryMessage && !control:
		return 0, fmt.Errorf("%w: opcode %d is reserved", errProtocol, opcode)
	case (head[1]&0x80 != 0) != in.masked:
		return 0, fmt.Errorf("%w: the mask is wrong", errProtocol)
	case control && (!final || length > 125):
		return 0, fmt.Errorf("%w: a control frame is cut or too long", errProtocol)
	case !control && (opcode == 0) != in.open:
		return 0, fmt.Errorf("%w: a continuation of nothing, or a message within another", errProtocol)
	}
	length, key, err := in.headRest(length)
	if err != nil {
		return 0, err
	}
	if control {
		return opcode, in.control(opcode, int(length), key)
	}
	// Compared so that no length overflows.
	if length < 0 || in.limit > 0 && length > in.limit-in.length {
		return 0, websocket.ErrReadLimit
	}
	in.open, in.final, in.left, in.key, in.at = true, final, length, key, 0
	in.length += length
	return opcode, nil
}

// hasFrame reports whether a whole message in one frame, or a control frame, has been
// read. One that is long, or malformed, need not count.
func (in *input) hasFrame() bool {
	p := in.got
	if len(p) < 2 || p[0]&0x80 == 0 {
		return false
	}
	size := 2 + int(p[1]&0x7f)
	switch {
	case size == 2+126 && len(p) >= 4:
		size = 4 + int(binary.BigEndian.Uint16(p[2:]))
	case size > 2+125:
		return false
	}
	if in.masked {
		size += 4
	}
	return len(p) >= size
}

// headRest reads the long length and the key.
func (in *input) headRest(length int64) (int64, [4]byte, error) {
	var key [4]byte
	more := 0
	switch length {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if in.masked {
		more += len(key)
	}
	if more == 0 {
		return length, key, nil
	}
	if err := in.fill(more); err != nil {
		return 0, key, err
	}
	p := in.use(more)
	switch length {
	case 126:
		length, p = int64(binary.BigEndian.Uint16(p)), p[2:]
	case 127:
		length, p = int64(binary.BigEndian.Uint64(p)), p[8:] //nolint:gosec // a length below 0 is refused
	}
	copy(key[:], p)
	return length, key, nil
}

func (in *input) control(opcode, length int, key [4]byte) error {
	if ok, _ := in.controls.take(in.came); !ok {
		return errFlood
	}
	var p []byte
	if length > 0 {
		if err := in.fill(length); err != nil {
			return err
		}
		p = in.use(length)
		if in.masked {
			mask(p, key, 0)
		}
	}
	switch opcode {
	case websocket.PingMessage:
		in.ping(p)
		return nil
	case websocket.PongMessage:
		in.pong(p)
		return nil
	}
	end := &websocket.CloseError{Code: websocket.CloseNoStatusReceived}
	if len(p) > 0 {
		if len(p) < 2 || !utf8.Valid(p[2:]) {
			return fmt.Errorf("%w: the close can't be read", errProtocol)
		}
		end.Code, end.Text = int(binary.BigEndian.Uint16(p)), string(p[2:])
		if !validCode(end.Code) {
			return fmt.Errorf("%w: close code %d is nobody's", errProtocol, end.Code)
		}
	}
	in.closed(end.Code)
	return end
}

// validCode reports a close code that may be sent (RFC 6455 §7.4, and the IANA's
// list).
func validCode(code int) bool {
	switch code {
	case websocket.CloseNoStatusReceived, websocket.CloseAbnormalClosure, 1004:
		return false
	}
	return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
}

// mask masks or unmasks, from a place in the key on, and returns the next place.
func mask(p []byte, key [4]byte, at int) int {
	for ; len(p) > 0 && at != 0; p = p[1:] {
		p[0] ^= key[at]
		at = (at + 1) & 3
	}
	k := uint64(binary.LittleEndian.Uint32(key[:]))
	k |= k << 32
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
	}
	for i := range p {
		p[i] ^= key[at]
		at = (at + 1) & 3
	}
	return at
}
