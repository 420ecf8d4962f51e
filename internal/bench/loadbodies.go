package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"time"
)

// body sends or takes one large body; its Count is in MiB.
func (s spec) body() (result, error) {
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/custom/down?n=%d", s.Address, s.Bytes), nil)
	if s.Kind == loadUp {
		req, err = http.NewRequest(http.MethodPost, "http://"+s.Address+"/custom/up", io.LimitReader(zeros{}, s.Bytes))
		if err == nil {
			req.ContentLength = s.Bytes
		}
	}
	if err != nil {
		return result{}, err
	}
	begun := time.Now()
	resp, err := send(req, s.Tokens[0])
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	n, err := discard(resp.Body)
	if s.Kind == loadDown && err == nil && n != s.Bytes {
		err = fmt.Errorf("%d bytes came, want %d", n, s.Bytes)
	}
	return result{Count: int(s.Bytes >> 20), Elapsed: time.Since(begun)}, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// wide moves bodies in large pieces, so that the load is not what limits.
var wide = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
	DisableCompression: true, ReadBufferSize: piece, WriteBufferSize: piece,
}}

func send(req *http.Request, token string) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set(headerBench, "1")
	resp, err := wide.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp, err
}

// events measures how late each event of a stream comes.
func (s spec) events() (result, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.Address+"/custom/events", nil)
	if err != nil {
		return result{}, err
	}
	begun := time.Now()
	resp, err := send(req, s.Tokens[0])
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	var late []time.Duration
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		var at int64
		if n, _ := fmt.Sscanf(lines.Text(), "data: %d", &at); n == 1 {
			late = append(late, time.Since(time.Unix(0, at)))
		}
	}
	if err := lines.Err(); err != nil {
		return result{}, err
	}
	if len(late) != events {
		return result{}, fmt.Errorf("%d events came, want %d", len(late), events)
	}
	return summary(late, time.Since(begun)), nil
}
