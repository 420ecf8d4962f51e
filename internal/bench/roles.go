package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// The roles in which the program starts itself.
const (
	roleUpstream = "upstream"
	rolePlain    = "plain"
	roleTunnel   = "tunnel"
	roleLoad     = "load"
)

// servePlain is the measuring stick: a bare ReverseProxy as people set it up for
// streams, with a pool that is large enough, flushing at once, and nothing else.
func servePlain(address, upstream string) error {
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		return err
	}
	buffers := sync.Pool{New: func() any { return make([]byte, 32<<10) }}
	rp := &httputil.ReverseProxy{
		Rewrite:    func(pr *httputil.ProxyRequest) { pr.SetURL(target) },
		Transport:  &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true},
		BufferPool: pool{&buffers}, FlushInterval: -1,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return (&http.Server{Handler: rp, ReadHeaderTimeout: 5 * time.Second}).Serve(l)
}

type pool struct{ *sync.Pool }

func (p pool) Get() []byte  { return p.Pool.Get().([]byte) }
func (p pool) Put(b []byte) { p.Pool.Put(b) } //nolint:staticcheck // the slice's head is small beside what is measured
