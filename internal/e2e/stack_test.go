package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// stack is the Cat's own server stack with the Cat's routes: see catstack/app.py.
type stack struct {
	addr string

	mu      sync.Mutex
	records map[string][]routed // by the number in the request's query
}

// routed is what the stack says of one request.
type routed struct {
	N       string      `json:"n"`
	Method  string      `json:"method"`
	RawPath string      `json:"raw_path"`
	Path    string      `json:"path"`
	Query   string      `json:"query"`
	Route   string      `json:"route"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
}

// users are the values of the identity header, in the order of the lines.
func (r routed) users() []string {
	var l []string
	for _, h := range r.Headers {
		if h[0] == "user_id" {
			l = append(l, h[1])
		}
	}
	return l
}

func startStack(t testing.TB) *stack {
	t.Helper()
	parts.Need(t, installed.HavePython())
	cmd := exec.Command(installed.Python(), filepath.Join("catstack", "app.py"), "0")
	errors := &output{}
	cmd.Stderr = errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run(t, cmd)
	lines := bufio.NewReader(out)
	var hello struct{ Port int }
	first, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(first, &hello)
	}
	if err != nil {
		t.Fatalf("the stack said %q: %v\n%s", first, err, errors)
	}
	s := &stack{addr: fmt.Sprintf("127.0.0.1:%d", hello.Port), records: map[string][]routed{}}
	go s.listen(lines)
	await(t, "the stack ready", func() bool {
		status, _ := get(t.Context(), "http://"+s.addr+"/?n=hello")
		return status == 200
	}, errors.String)
	return s
}

func (s *stack) listen(lines io.Reader) {
	d := json.NewDecoder(lines)
	for {
		var r routed
		if err := d.Decode(&r); err != nil {
			return // the process has ended
		}
		s.mu.Lock()
		s.records[r.N] = append(s.records[r.N], r)
		s.mu.Unlock()
	}
}

// all are the records so far.
func (s *stack) all() map[string][]routed {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := map[string][]routed{}
	for n, l := range s.records {
		c[n] = append([]routed(nil), l...)
	}
	return c
}
