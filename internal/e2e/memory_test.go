package e2e

import (
	"bytes"
	bin "encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/demo/standin"
)

// most is the memory that examples/kubernetes gives to Catflap, in KiB.
const most = 256 << 10

// plain is the binary as it is shipped: the race detector's needs several times as much.
var plain = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("CATFLAP_E2E_PLAIN"); given != "" {
		return given, nil
	}
	file := filepath.Join(scratch, "catflap-plain")
	cmd := exec.Command("go", "build", "-o", file, "./cmd/catflap")
	cmd.Dir, cmd.Stdout, cmd.Stderr = repository, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return file, cmd.Run()
})

// TestTwoPeopleDoTheirWorst: in the default configuration the process stays within the
// memory of the example whatever two people do, and a third gets each answer.
func TestTwoPeopleDoTheirWorst(t *testing.T) {
	for _, row := range []struct {
		name, websocket string
		ways            []int // of worst
		uploads         int   // of each
	}{
		{"everything", "", []int{0, 1, 2, 3, 4, 4, 4, 4}, 100},
		{"halves of messages", "", []int{4}, 0},
		{"answers that nobody reads", "", []int{0}, 0},
		{"whole messages", "", []int{3}, 0},
		{"uploads", "", nil, 250},
		{"separate", "session: separate", []int{0, 1, 2, 3, 4, 4, 4, 4}, 100},
	} {
		t.Run(row.name, func(t *testing.T) { twoPeopleDo(t, row.websocket, row.ways, row.uploads) })
	}
}

// TestTwoPeopleDoTheirWorstAtTwo: the same where the sockets at the Cat are another
// Catflap's, for either of them.
func TestTwoPeopleDoTheirWorstAtTwo(t *testing.T) {
	cat, file := quietCat(t)
	for _, row := range []struct {
		name string
		ways []int
	}{
		{"everything", []int{0, 1, 2, 3, 4, 4, 4, 4}},
		{"whole messages", []int{3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := startCoupleOf(t, config{cat: cat, binary: file})
			carol := mustChat(t, c.a, staff.token("carol"))
			expectBig(t, carol, 20_000)
			others := mustChat(t, c.b, staff.token("carol")) // by way of the first
			var all sync.WaitGroup
			for _, user := range []string{"mallory", "mallet"} {
				mustChat(t, c.a, staff.token(user))
				for i := range 31 {
					w := mustChat(t, c.b, staff.token(user))
					all.Go(func() { worst(w, row.ways[i%len(row.ways)]) })
				}
			}
			for i := range 10 {
				expectBig(t, others, 1000<<(i%8))
			}
			all.Wait()
			expectBig(t, others, 20_000)
			for name, f := range map[string]*flap{"the owner": c.a, "the other": c.b} {
				expectWithin(t, name, f)
			}
		})
	}
}

// expectWithin verifies that the process never had more memory than the example gives.
func expectWithin(t *testing.T, name string, f *flap) {
	t.Helper()
	peak := resident(t, f)
	t.Logf("%s: at most %d KiB", name, peak)
	if peak > most {
		t.Errorf("%s had %d KiB", name, peak)
	}
}

// quietCat starts a Cat that remembers nothing, and makes the binary.
func quietCat(t *testing.T) (cat, file string) {
	t.Helper()
	c := listenAs(t, "127.0.0.1:0", standin.Options{APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: "no default"})
	t.Cleanup(func() { _ = c.Close() })
	file, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(c.URL, "http://"), file
}

func twoPeopleDo(t *testing.T, lines string, ways []int, uploads int) {
	cat, file := quietCat(t)
	f := start(t, config{cat: cat, binary: file, websocket: lines, permissions: `everyone: [base, "UPLOAD:WRITE"]`})
	carol := mustChat(t, f, staff.token("carol"))
	expectBig(t, carol, 20_000)
	var all sync.WaitGroup
	for _, user := range []string{"mallory", "mallet"} {
		for i := range min(32, 32*len(ways)) {
			w := mustChat(t, f, staff.token(user))
			all.Go(func() { worst(w, ways[i%len(ways)]) })
		}
		for range uploads {
			all.Go(func() { stalledUpload(t, f, staff.token(user)) })
		}
	}
	for i := range 20 {
		expectBig(t, carol, 1000<<(i%8))
		if s, err := turn(chatWhenFree(t, f, staff.token("dave")), "small"); err != nil || s.Type != "chat" {
			t.Errorf("another: %+v %v", s, err)
		}
	}
	all.Wait()
	for range 3 {
		expectBig(t, carol, 20_000)
	}
	expectWithin(t, "the process", f)
}

// chatWhenFree opens a socket. While more strangers than limits.requests_per_address have
// just come from the same address, the handshake is told to come again in a second.
func chatWhenFree(t *testing.T, f *flap, token string) *websocket.Conn {
	t.Helper()
	for tries := 0; ; tries++ {
		c, status := openChat(t, f, "/ws", token)
		if c != nil {
			return c
		}
		if status != http.StatusTooManyRequests || tries == 10 {
			t.Fatalf("handshake was answered %d", status)
		}
		time.Sleep(time.Second)
	}
}

// expectBig asks for an answer of some size, and gets it.
func expectBig(t *testing.T, w *websocket.Conn, size int) {
	t.Helper()
	s, err := turn(w, fmt.Sprintf("big %d", size))
	if err != nil || s.Type != "chat" || len(s.Text) != size {
		t.Errorf("an answer of %d bytes: %s %s of %d bytes, %v", size, s.Type, s.Name, len(s.Text), err)
	}
}

// worst does the worst that a socket can do, in one of its ways.
func worst(w *websocket.Conn, way int) {
	conn := w.NetConn()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	switch way {
	case 0: // asks for much and reads nothing
		for range 40 {
			if w.WriteJSON(map[string]string{"text": "big 3000000"}) != nil {
				return
			}
		}
	case 1: // fragments of one byte and of none
		frames := []byte{0x01, 0x80, 0, 0, 0, 0}
		for range 10_000 {
			frames = append(frames, 0x00, 0x81, 0, 0, 0, 0, 'x', 0x00, 0x80, 0, 0, 0, 0)
		}
		_, _ = conn.Write(frames)
	case 2: // pings whose answers nobody reads
		_, _ = conn.Write(bytes.Repeat([]byte{0x89, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'}, 200_000))
	case 3: // whole messages, one after another
		for range 4 {
			if w.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte("x"), 6<<20)) != nil {
				return
			}
		}
	default: // half of what its head claims
		_, _ = conn.Write(bin.BigEndian.AppendUint64([]byte{0x81, 0x80 | 127}, 16<<20))
		_, _ = conn.Write([]byte{0, 0, 0, 0})
		for range 8 {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
	}
}

// stalledUpload sends a part of a large body, and no more.
func stalledUpload(t *testing.T, f *flap, token string) {
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		return // refused: that is a bound, too
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprintf(conn, "POST /rabbithole/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\n"+
		"Content-Length: 100000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n", token)
	_, _ = io.Copy(conn, io.LimitReader(zeros{}, 1<<20))
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// resident is the most memory that the process ever had, in KiB.
func resident(t *testing.T, f *flap) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var n int
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
