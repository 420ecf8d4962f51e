package wsconn

import (
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// maxHeader is the most that stands in front of a frame's payload.
const maxHeader = 2 + 8 + 4

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

// appendHead appends what stands in front of the mask's key.
func appendHead(b []byte, opcode int, last bool, length int, masked bool) []byte {
	first, second := byte(opcode), byte(0) //nolint:gosec // four bits
	if last {
		first |= 0x80
	}
	if masked {
		second = 0x80
	}
	switch {
	case length < 126:
		return append(b, first, second|byte(length)) //nolint:gosec // seven bits
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, second|126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(b, first, second|127), uint64(length))
}

// Encode makes the frame of a whole message without a mask, as a server sends it, so
// that several connections can be sent the same bytes.
func Encode(kind int, data []byte) []byte {
	return append(appendHead(make([]byte, 0, maxHeader+len(data)), kind, true, len(data), false), data...)
}
