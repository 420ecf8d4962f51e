package wsconn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/pace"
)

// bufferSize is how much is read from a connection at once.
const bufferSize = 4 << 10

// small is what is held for a connection that can't be asked whether there is
// something to read, such as one with TLS.
const small = 16

var (
	errProtocol = errors.New("a malformed frame")
	errSilent   = errors.New("nothing has come")
	errFlood    = errors.New("too many control frames")
)

// controlRate is how many pings, pongs and closes a client may send in a second. Each
// ping is answered, and none of them counts as a message.
const controlRate = 50

// controls are told of control frames, in the reader's goroutine. The payload is lent
// for the call.
type controls interface {
	gotPing(payload []byte)
	gotPong(payload []byte)
	gotClose(code int) // before the close is returned as an error
}

// reader reads the frames of one connection (RFC 6455 §5). The library shakes hands,
// but its reader keeps a buffer and a deep stack for each connection
// that says nothing, and can't be asked whether it holds anything: this one borrows
// a buffer when there is something to read, and gives it back when all is read.
type reader struct {
	conn   net.Conn
	raw    syscall.RawConn // nil where there is none
	pool   *sync.Pool
	masked bool  // what a client sends is masked
	limit  int64 // bytes of a message; 0 means any size
	// within is the time for a message to come whole, see toCome; 0 means any time.
	within time.Duration
	first  [small]byte

	controls controls
	each     func(kind int) error // takes messages, while serve is under way

	poller   *Poller       // nil where nothing is parked
	restless bool          // it can't be parked
	parked   atomic.Uint64 // under which the poller has it; an old one does no harm
	woken    bool          // it was parked, and there is something to read
	idle     bool          // nothing but control frames has come for a while
	fresh    bool          // a message has come since until was set
	until    time.Time     // when the reading ends for the sake of parking

	buf  *[]byte
	got  []byte    // what was read and not used, in buf
	came time.Time // when something was read last, or found in what was read
	news bool      // something was read since the last message
	err  error     // what try or each has met
	part bool      // what is waited for goes on with something
	// trying is try, made once for as long as the reader is not parked.
	trying func(uintptr) bool

	open   bool // a message has begun and not ended
	final  bool // the frame is the message's last
	left   int64
	length int64 // of the message so far
	key    [4]byte
	at     int // the place in the key

	rate pace.Allowance // of control frames; it is of clients alone

	began   time.Time // when the message was found incomplete, if it was
	bounded bool      // the reading ends when it is late
}

// init begins to read from a connection.
func (r *reader) init(c net.Conn, masked bool, pool *sync.Pool, p *Poller) {
	r.conn, r.masked, r.pool, r.poller, r.idle, r.came = c, masked, pool, p, true, time.Now()
	if masked {
		r.rate = pace.NewAllowance(controlRate)
	}
	if s, ok := c.(syscall.Conn); ok {
		r.raw, _ = s.SyscallConn() // without it the connection is read as any other
	}
}

// ahead puts what came with the handshake in front of the rest.
func (r *reader) ahead(rest []byte) {
	if len(rest) > 0 {
		b := make([]byte, max(bufferSize, len(rest)))
		r.buf, r.got = &b, b[:copy(b, rest)]
	}
}

// next finds the next message and returns its kind. Zero means that a control
// frame has been dealt with, or silence, and that nothing else has begun.
func (r *reader) next() (int, error) {
	kind, err := r.frame()
	switch {
	case err == errSilent: //nolint:errorlint // never wrapped
		r.idle = true
		return 0, nil
	case err == nil && kind >= websocket.CloseMessage:
		kind = 0
		if !r.open {
			r.wholeNow()
		}
	case err == nil:
		r.idle, r.fresh = false, true
		if !r.news { // it came together with the one before, which may have taken long
			r.came = time.Now()
		}
		r.news = false
	}
	if len(r.got) == 0 && kind == 0 {
		r.giveBack()
	}
	return kind, err
}

// Read reads the message that next has found; io.EOF is its end.
func (r *reader) Read(p []byte) (int, error) {
	for r.left == 0 {
		if r.final {
			r.open, r.length = false, 0
			r.wholeNow()
			if len(r.got) == 0 {
				r.giveBack()
			}
			return 0, io.EOF
		}
		if _, err := r.frame(); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), r.left)]
	var err error
	n := copy(p, r.got)
	if n > 0 {
		r.got = r.got[n:]
	} else {
		n, err = r.read(p)
	}
	r.left -= int64(n)
	if r.masked {
		r.at = mask(p[:n], r.key, r.at)
	}
	if n > 0 {
		return n, nil
	}
	return 0, unexpected(err)
}

// paused reports whether a frame has ended that is not the message's last, and nothing
// more has come yet.
func (r *reader) paused() bool { return r.left == 0 && !r.final && len(r.got) == 0 }

// some sees to it that something has been read. Silence is an error between two
// messages, where the reader may rest; within one it is waited out.
func (r *reader) some(between bool) error {
	for len(r.got) == 0 {
		r.giveBack()
		r.part = !between
		switch err := r.wait(); {
		case err == errSilent && !between: //nolint:errorlint // never wrapped
		case err != nil:
			return unexpected(err)
		}
	}
	return nil
}

// fill sees to it that n bytes of a frame have been read.
func (r *reader) fill(n int) error {
	if err := r.some(false); err != nil {
		return err
	}
	for len(r.got) < n {
		have := copy(*r.buf, r.got)
		m, err := r.read((*r.buf)[have:])
		r.got = (*r.buf)[:have+m]
		if err != nil && len(r.got) < n {
			return unexpected(err)
		}
	}
	return nil
}

// read reads in the middle of something, where nobody rests.
func (r *reader) read(p []byte) (int, error) {
	for {
		r.dueSoon()
		n, err := r.conn.Read(p)
		r.came, r.news = time.Now(), true
		if n > 0 {
			return n, err
		}
		if err = r.lateOr(err); err != errSilent { //nolint:errorlint // never wrapped
			return 0, err
		}
	}
}

// use takes n bytes that fill has read.
func (r *reader) use(n int) []byte {
	p := r.got[:n]
	r.got = r.got[n:]
	return p
}

// wait waits until there is something to read, holding no buffer, and reads it.
func (r *reader) wait() error {
	if r.raw == nil || !pollable {
		if r.part {
			r.dueSoon()
		}
		n, err := r.conn.Read(r.first[:])
		r.borrow()
		r.got = (*r.buf)[:copy(*r.buf, r.first[:n])]
		r.came, r.news = time.Now(), true
		if n > 0 {
			return nil
		}
		return r.lateOr(err)
	}
	if r.part {
		r.dueSoon()
	} else {
		r.restSoon()
	}
	r.err = nil
	if r.trying == nil {
		r.trying = r.try
	}
	if err := r.raw.Read(r.trying); err != nil {
		return r.lateOr(err)
	}
	if len(r.got) == 0 {
		r.giveBack()
	}
	return r.err
}

func (r *reader) borrow() {
	if r.buf == nil {
		r.buf = r.pool.Get().(*[]byte)
	}
}

func (r *reader) giveBack() {
	if r.buf != nil {
		r.pool.Put(r.buf)
		r.buf, r.got = nil, nil
	}
}

// unexpected makes an end of the connection what it is: one without a close.
func unexpected(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // never wrapped by a connection
		return &websocket.CloseError{Code: websocket.CloseAbnormalClosure, Text: "no close came"}
	}
	return err
}

// frame reads the head of the next frame, and a control frame as a whole. It
// returns the opcode; a continuation is returned as 0.
func (r *reader) frame() (int, error) {
	if err := r.some(!r.open); err != nil {
		return 0, err
	}
	if err := r.fill(2); err != nil {
		return 0, err
	}
	head := r.use(2)
	opcode, final := int(head[0]&0x0f), head[0]&0x80 != 0
	length := int64(head[1] & 0x7f)
	control := opcode >= websocket.CloseMessage
	switch {
	case head[0]&0x70 != 0:
		return 0, fmt.Errorf("%w: a reserved bit is set", errProtocol)
	case opcode > websocket.PongMessage, opcode > websocket.BinaryMessage && !control:
		return 0, fmt.Errorf("%w: opcode %d is reserved", errProtocol, opcode)
	case (head[1]&0x80 != 0) != r.masked:
		return 0, fmt.Errorf("%w: the mask is wrong", errProtocol)
	case control && (!final || length > 125):
		return 0, fmt.Errorf("%w: a control frame is cut or too long", errProtocol)
	case !control && (opcode == 0) != r.open:
		return 0, fmt.Errorf("%w: a continuation of nothing, or a message within another", errProtocol)
	}
	length, key, err := r.headRest(length)
	if err != nil {
		return 0, err
	}
	if control {
		return opcode, r.control(opcode, int(length), key)
	}
	// Compared so that no length overflows.
	if length < 0 || r.limit > 0 && length > r.limit-r.length {
		return 0, websocket.ErrReadLimit
	}
	r.open, r.final, r.left, r.key, r.at = true, final, length, key, 0
	r.length += length
	return opcode, nil
}

// hasFrame reports whether a whole message in one frame, or a control frame, has been
// read. One that is long, or malformed, need not count.
func (r *reader) hasFrame() bool {
	p := r.got
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
	if r.masked {
		size += 4
	}
	return len(p) >= size
}

// headRest reads the long length and the key.
func (r *reader) headRest(length int64) (int64, [4]byte, error) {
	var key [4]byte
	more := 0
	switch length {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if r.masked {
		more += len(key)
	}
	if more == 0 {
		return length, key, nil
	}
	if err := r.fill(more); err != nil {
		return 0, key, err
	}
	p := r.use(more)
	switch length {
	case 126:
		length, p = int64(binary.BigEndian.Uint16(p)), p[2:]
	case 127:
		length, p = int64(binary.BigEndian.Uint64(p)), p[8:] //nolint:gosec // a length below 0 is refused
	}
	copy(key[:], p)
	return length, key, nil
}

func (r *reader) control(opcode, length int, key [4]byte) error {
	if ok, _ := r.rate.Take(r.came); !ok {
		return errFlood
	}
	var p []byte
	if length > 0 {
		if err := r.fill(length); err != nil {
			return err
		}
		p = r.use(length)
		if r.masked {
			mask(p, key, 0)
		}
	}
	switch opcode {
	case websocket.PingMessage:
		r.controls.gotPing(p)
		return nil
	case websocket.PongMessage:
		r.controls.gotPong(p)
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
	r.controls.gotClose(end.Code)
	return end
}

// serve has each message taken, until an error. Each must be read to its end, unless
// there is one. With errParked the input is no longer the caller's; resume goes on.
func (r *reader) serve(each func(kind int) error, resume func()) error {
	for {
		if r.rest(resume) {
			return errParked
		}
		r.parked.Store(0)
		r.each = each
		if err := r.takeNext(); err != nil {
			r.each = nil // the one who reads on wants nothing of it
			return err
		}
	}
}

// takeNext has the next message taken, or deals with a control frame, or silence.
func (r *reader) takeNext() error {
	kind, err := r.next()
	if err == nil && kind != 0 {
		err = r.each(kind)
	}
	return err
}

// arrived is told what has been read between two messages, while the connection is
// still held for reading. What has come whole is taken at once; if that was all there
// was, it is false: the connection says when there is more, and to ask it once for
// nothing would cost a twentieth of the whole. An end that came together with the last
// message it does not say; that is found when the reader rests.
func (r *reader) arrived(n int) (done bool) {
	all := n == len(*r.buf)
	r.got = (*r.buf)[:n]
	r.came, r.news = time.Now(), true
	if r.each == nil || r.part || !r.rests() {
		return true
	}
	for r.hasFrame() {
		if r.err = r.takeNext(); r.err != nil {
			return true
		}
	}
	switch {
	case all || len(r.got) > 0 || !r.rests():
		return true
	case r.idle: // it was a control frame that broke the rest
		r.err = errSilent
		return true
	}
	r.giveBack()
	r.restSoon()
	return false
}

// Slowest is how many bytes in a second the other end must send or take of a message,
// once it has had its time without any.
const Slowest = 64 << 10

// errLate means that a message did not come whole in time.
var errLate = errors.New("a message was not whole in time")

// toCome is how long a message may take to come of which n bytes have come: its time
// without any, and a second for as much as the slowest link brings in one. The clock
// runs from the first reading that finds it incomplete.
func toCome(within time.Duration, n int64) time.Duration {
	return within + time.Duration(n)*time.Second/Slowest
}

// dueSoon has the next reading end when the message that has begun is late. It is
// asked before each reading in the middle of one, and looks at the clock once.
func (r *reader) dueSoon() {
	if r.within <= 0 {
		return
	}
	if r.began.IsZero() {
		r.began = time.Now()
	}
	if !r.bounded {
		r.bounded = true
		r.setUntil(r.began.Add(toCome(r.within, r.had())))
	}
}

// had is how much of the message has come.
func (r *reader) had() int64 { return r.length - r.left }

// lateOr makes the end of a reading what it is: of a message that is late, or silence
// that is no error, also where more of a message has come than when its time was set.
func (r *reader) lateOr(err error) error {
	switch {
	case r.bounded && errors.Is(err, os.ErrDeadlineExceeded):
		r.bounded = false
		if time.Since(r.began) >= toCome(r.within, r.had()) {
			return errLate
		}
		return errSilent
	case r.rested(err):
		return errSilent
	}
	return err
}

// wholeNow lets a reading last again, after a message that had to be waited for.
func (r *reader) wholeNow() {
	if r.bounded {
		r.bounded = false
		r.setUntil(time.Time{})
	}
	r.began = time.Time{}
}

// pause stops the clock while what has come is passed on; goOn is given what it returns.
func (r *reader) pause() (since time.Time) {
	if !r.began.IsZero() {
		since = time.Now()
	}
	return since
}

func (r *reader) goOn(since time.Time) {
	if !since.IsZero() {
		r.began = r.began.Add(time.Since(since))
	}
}

// rest parks the reader if it has been idle: when it is new, when nothing has come for
// a while, and after control frames that follow either.
func (r *reader) rest(resume func()) bool {
	if r.woken || !r.idle || resume == nil || !r.rests() || len(r.got) > 0 || r.open {
		r.woken = false
		return false
	}
	if !r.until.IsZero() {
		r.setUntil(time.Time{})
	}
	r.woken, r.trying, r.each = true, nil, nil // the one who goes on finds it so, and reads
	if r.poller.park(r, resume) {
		return true
	}
	r.woken, r.restless = false, true
	return false
}

// rests reports whether the reader can be parked.
func (r *reader) rests() bool { return r.raw != nil && r.poller != nil && !r.restless }

// restSoon has the next reading end when no message comes for a while. It is not done
// again for each one, and not for control frames.
func (r *reader) restSoon() {
	if !r.rests() || !r.fresh && !r.until.IsZero() {
		return
	}
	r.fresh = false
	if r.until.IsZero() || r.until.Sub(r.came) < r.poller.After/2 {
		r.setUntil(time.Now().Add(r.poller.After))
	}
}

func (r *reader) setUntil(t time.Time) {
	r.until = t
	_ = r.conn.SetReadDeadline(t) // the reading finds out what is wrong
}

// rested reports whether a reading ended for the sake of rest, which is no error.
func (r *reader) rested(err error) bool {
	if !r.rests() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	r.setUntil(time.Time{})
	return true
}

// close closes the connection, and lets its reader know if it is parked. It waits
// for a reader that is taking a message, so only the reader itself calls it.
func (r *reader) close() {
	_ = r.conn.Close()
	if id := r.parked.Load(); id != 0 && r.poller != nil {
		r.poller.woken(id)
	}
}

// cut is close for everybody else: the other end is told at once, and nothing can be
// written any more, also while the reader is taking a message.
func (r *reader) cut() {
	r.shut()
	go r.close()
}

const (
	// leastRoom is the room that a message gets at first. Whatever its head claims, it
	// gets more only when that is full: twice as much up to enoughRoom, and then a
	// quarter more, so that little is held ahead of what has come.
	leastRoom  = 512
	enoughRoom = 64 << 10
)

// room is how much a message gets of which so many bytes have come and fill all that it
// had, with spare bytes behind it. There is always room to find the end.
func (r *reader) room(have, spare int64) int64 {
	next := max(2*have, leastRoom)
	if have >= enoughRoom {
		next = have + have/4
	}
	if r.final {
		next = min(next, have+r.left)
	}
	if r.limit > 0 {
		next = min(next, r.limit)
	}
	return max(next, have) + 1 + spare
}
