package chat

import (
	"slices"
	"time"
)

// outbox are messages that wait for a way to the Cat. Its owner guards it.
type outbox struct {
	list    []inbound
	bytes   int64
	expires *time.Timer
}

// add keeps a message, if there is room. What has waited for long enough expires.
func (k *outbox) add(p *person, m inbound, expire func()) bool {
	set := p.hub.settings.Load()
	bytes, count := set.queue()
	if k.bytes+int64(len(m.data)) > bytes || len(k.list) >= min(count, maxKept) || p.hold(int64(len(m.data)), toCat) != nil {
		return false
	}
	k.list = append(k.list, m)
	k.bytes += int64(len(m.data))
	if k.expires == nil {
		k.expires = time.AfterFunc(set.deliverWithin(), expire)
	}
	return true
}

// take takes what was kept.
func (k *outbox) take(p *person) []inbound {
	list := k.list
	p.drop(k.bytes)
	k.list, k.bytes = nil, 0
	if k.expires != nil {
		k.expires.Stop()
		k.expires = nil
	}
	return list
}

// first takes what was kept up to its first turn. The rest has its time again.
func (k *outbox) first(p *person) []inbound {
	n, bytes := 0, int64(0)
	for n < len(k.list) {
		m := &k.list[n]
		n, bytes = n+1, bytes+int64(len(m.data))
		if m.isTurn() {
			break
		}
	}
	if n == len(k.list) {
		return k.take(p)
	}
	list := k.list[:n:n]
	k.list, k.bytes = k.list[n:], k.bytes-bytes
	p.drop(bytes)
	k.expires.Reset(p.hub.settings.Load().deliverWithin())
	return list
}

// withdraw takes what a client has said out, and returns the least ref of it; 0 if there
// was nothing.
func (k *outbox) withdraw(p *person, from uint64) (least uint64) {
	k.list = slices.DeleteFunc(k.list, func(m inbound) bool {
		if m.from != from || m.ref == 0 {
			return false
		}
		if least == 0 {
			least = m.ref
		}
		k.bytes -= int64(len(m.data))
		p.drop(int64(len(m.data)))
		return true
	})
	return least
}
