package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slowCat takes a large body in without a hurry: half of it, and then nothing.
func slowCat(t *testing.T) (addr string, taken *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over, taken := make(chan struct{}), new(atomic.Int32)
	s := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.Header.Get("User_id"), ":carol"):
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n)
		case r.URL.Path == "/rabbithole/":
			_, _ = io.CopyN(io.Discard, r.Body, 64<<10)
			taken.Add(1)
			<-over
		}
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() {
		close(over)
		_ = s.Close()
	})
	return l.Addr().String(), taken
}

// TestUploadsOverHTTP2: two people leave a hundred uploads each before a Cat that does
// not take them. The process stays within the memory of the example, and another
// person's 100 MB go up whole.
func TestUploadsOverHTTP2(t *testing.T) {
	file, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	cert, key := certificateFiles(t)
	cat, taken := slowCat(t)
	f := launch(t, config{
		cat: cat, catMore: "insecure_open_cat: true", binary: file, permissions: `everyone: [base, "UPLOAD:WRITE"]`,
		more: fmt.Sprintf("tls: {cert_file: %s, key_file: %s}\n", cert, key),
	})
	ctx, leave := context.WithCancel(t.Context())
	upload := func(ctx context.Context, user string, size int64) (string, error) {
		own := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		defer own.CloseIdleConnections()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+f.addr+"/rabbithole/", io.LimitReader(zeros{}, size))
		if err != nil {
			return "", err
		}
		req.ContentLength = size
		req.Header.Set("Authorization", "Bearer "+staff.token(user))
		resp, err := (&http.Client{Transport: own, Timeout: 60 * time.Second}).Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return fmt.Sprint(resp.Proto, " ", resp.StatusCode, " ", string(text)), err
	}
	var all sync.WaitGroup
	for _, user := range []string{"mallory", "mallet"} {
		for range 100 {
			all.Go(func() { _, _ = upload(ctx, user, 50_000_000) })
		}
	}
	f.await("holding their uploads", func() bool { return taken.Load() == 200 })
	begun := time.Now()
	if got, err := upload(t.Context(), "carol", 100_000_000); err != nil || got != "HTTP/2.0 200 100000000" {
		t.Errorf("100 MB over HTTP/2: %q, %v", got, err)
	}
	t.Logf("100 MB took %s", time.Since(begun))
	expectWithin(t, "the process", f)
	leave()
	all.Wait()
}
