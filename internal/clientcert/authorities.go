package clientcert

import (
	"crypto/x509"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/reread"
)

// Authorities is what the files say now. They are read again when they change.
type Authorities struct {
	log *slog.Logger
	now func() time.Time

	current atomic.Pointer[version]
	due     atomic.Int64 // Unix nanoseconds

	reading sync.Mutex
	files   Files
	tried   reread.Stamp // the files of the last reading, good or bad
}

// version is a Set with its number.
type version struct {
	*Set
	number uint64
}

// Open reads the files.
func Open(f Files, log *slog.Logger, now func() time.Time) (*Authorities, error) {
	a := &Authorities{log: log, now: now, files: f, tried: f.stamp()}
	s, err := f.Read()
	if err != nil {
		return nil, err
	}
	a.current.Store(&version{s, 1})
	a.due.Store(now().Add(reread.Every).UnixNano())
	return a, nil
}

// Judge returns the chains by which a client's certificate, the first of those that it
// has shown, is vouched for now. The error says why there is none.
func (a *Authorities) Judge(shown []*x509.Certificate) ([][]*x509.Certificate, error) {
	return a.look().judge(shown, a.now())
}

// Generation changes whenever the answers of Judge may, but for the end of a certificate.
func (a *Authorities) Generation() uint64 {
	v := a.look()
	if v.listed && !a.now().Before(v.stale) {
		return v.number<<1 | 1
	}
	return v.number << 1
}

// Ready reports a revocation list that is no longer current.
func (a *Authorities) Ready() error { return a.look().Stale(a.now()) }

// Pool holds the authorities. It must not be changed.
func (a *Authorities) Pool() *x509.CertPool { return a.look().pool }

// DemandOne says whether the file may hold one authority alone from now on.
func (a *Authorities) DemandOne(one bool) {
	a.reading.Lock()
	defer a.reading.Unlock()
	if a.files.One != one {
		a.files.One, a.tried = one, reread.Stamp{} // they are read again
	}
}

// look reads the files again if they have changed. One caller looks; the others go on
// with what there is.
func (a *Authorities) look() *version {
	now := a.now()
	if now.UnixNano() < a.due.Load() || !a.reading.TryLock() {
		return a.current.Load()
	}
	defer a.reading.Unlock()
	a.due.Store(now.Add(reread.Every).UnixNano())
	if s := a.files.stamp(); !s.Same(a.tried) {
		a.tried = s
		a.renew()
	}
	return a.current.Load()
}

func (a *Authorities) renew() {
	s, err := a.files.Read()
	if err != nil {
		a.log.Error("the authorities of client certificates can't be renewed; the last good ones stay", "err", err.Error())
		return
	}
	a.current.Store(&version{s, a.current.Load().number + 1})
	a.log.Info("the authorities of client certificates were renewed", "authorities", len(s.Anchors), "revocation_lists", len(s.lists))
}

func (f Files) stamp() reread.Stamp {
	if f.Lists == "" {
		return reread.Look(string(f.Authorities))
	}
	return reread.Look(string(f.Authorities), string(f.Lists))
}
