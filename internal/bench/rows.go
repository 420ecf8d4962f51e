package main

import (
	"context"
	"os"
	"slices"
	"time"
)

const (
	connections = 64
	distinct    = 10_000
	openSockets = 100
	idleSockets = 3000
	idleStreams = 1000
	bigBody     = 512 << 20
)

// row is a row of the table of what Catflap may cost: one load, or a few.
type row struct {
	name, title string
	of          []string // the contenders that it measures
	measure     func(b *bench, ctx context.Context, c *contender) error
	rounds      int // the first so many are enough; 0: all are measured
}

// rows are in the order in which they are measured. Whatever a contender
// remembers of a row must not help it in a later one. Memory hardly moves from round
// to round.
func rows() []row {
	verifiers := []string{haproxy, catflap}
	proxies := []string{plainProxy, nginx, haproxy, catflap}
	relays := []string{tunnel, plainProxy, nginx, haproxy, catflap, separate}
	return []row{
		{"1", "one token reused, 64 connections", proxies, (*bench).oneToken, 0},
		{"5", "one connection", proxies, (*bench).oneConnection, 0},
		{"2", "10,000 distinct tokens, each for the first time", verifiers, (*bench).coldTokens, 0},
		{"3", "10,000 distinct tokens with a bad signature", verifiers, (*bench).badSignatures, 0},
		{"3b", "cheap refusals", verifiers, (*bench).cheapRefusals, 0},
		{"3c", "8 good connections beside 32 that send bad signatures", verifiers, (*bench).flood, 0},
		{"4", "3,000 WebSockets that say nothing, each of another person", relays, (*bench).idleSockets, 2},
		{"4b", "a round trip of 64 bytes on each of 100 WebSockets", relays, (*bench).webSockets, 0},
		{"4b open", "the same with 3,000 others open", relays, (*bench).amongIdle, 0},
		{"4c", "1,000 streams of events in which nothing happens", proxies, (*bench).idleStreams, 2},
		{"6", "bodies of 512 MiB", proxies, (*bench).bodies, 0},
		{"6b", "the delay of a server-sent event", proxies, (*bench).eventDelay, 0},
		{"7", "start, size, rest", proxies, (*bench).start, 0},
		{"7b", "live heap of a remembered token", []string{catflap}, (*bench).heap, 0},
		{"8b", "allocations of a request with a remembered token", []string{catflap}, (*bench).allocations, 0},
	}
}

func (r row) measures(contender string) bool { return slices.Contains(r.of, contender) }

func (b *bench) oneToken(ctx context.Context, c *contender) error {
	return b.perRequest(ctx, c, "1", spec{Kind: loadRequests, Tokens: b.tokens.good(1), Status: 200, Connections: connections, For: b.each})
}

func (b *bench) oneConnection(ctx context.Context, c *contender) error {
	r, _, err := b.load(ctx, c, spec{Kind: loadRequests, Tokens: b.tokens.good(1), Status: 200, Connections: 1, For: b.each / 2})
	if err == nil {
		b.figures.note("5", c.name, figP50, us(r.P50))
	}
	return err
}

func (b *bench) coldTokens(ctx context.Context, c *contender) error {
	people := b.tokens.good(distinct)
	return b.perRequest(ctx, c, "2", spec{Kind: loadRequests, Tokens: people[1:], Once: true, Status: 200, Connections: connections, For: 10 * b.each})
}

func (b *bench) badSignatures(ctx context.Context, c *contender) error {
	return b.perRequest(ctx, c, "3", spec{
		Kind: loadRequests, Tokens: b.tokens.forged(distinct), Once: true, Status: 401, Connections: connections, For: 10 * b.each,
	})
}

// cheapRefusals measures each kind; HAProxy's refusal of what is no JWT is what
// they are compared with, since for some of the others it computes a signature.
func (b *bench) cheapRefusals(ctx context.Context, c *contender) error {
	for _, kind := range refusals() {
		if c.name == haproxy && kind != garbage {
			continue
		}
		token := b.tokens.forged(1)[0]
		if kind != repeated {
			token = b.tokens.cheap()[kind]
		}
		if err := b.perRequest(ctx, c, "3b "+kind, spec{
			Kind: loadRequests, Tokens: []string{token}, Status: 401, Connections: connections, For: b.each / 2,
		}); err != nil {
			return err
		}
	}
	return nil
}

// repeated is one token with a bad signature, sent again and again.
const repeated = "bad signature, repeated"

func refusals() []string {
	return []string{garbage, algorithm, unknownKey, expired, wrongIssuer, wrongAud, repeated}
}

func (b *bench) flood(ctx context.Context, c *contender) error {
	good := spec{Kind: loadRequests, Tokens: b.tokens.good(1), Status: 200, Connections: 8, For: b.each}
	alone, _, err := b.load(ctx, c, good)
	if err != nil {
		return err
	}
	good.Flood, good.FloodOn = b.tokens.forged(2*distinct), 32
	under, _, err := b.load(ctx, c, good)
	if err != nil {
		return err
	}
	b.figures.note("3c", c.name, figAlone, us(alone.P99))
	b.figures.note("3c", c.name, figP99, us(under.P99))
	b.figures.note("3c", c.name, figRate, under.rate())
	return nil
}

func (b *bench) bodies(ctx context.Context, c *contender) error {
	for kind, figure := range map[loadKind]string{loadDown: figDown, loadUp: figUp} {
		_, used, err := b.load(ctx, c, spec{Kind: kind, Tokens: b.tokens.good(1), Bytes: b.bodyBytes()})
		if err != nil {
			return err
		}
		b.figures.note("6", c.name, figure, used.Seconds()*float64(1<<30)/float64(b.bodyBytes()))
	}
	return nil
}

// bodyBytes is smaller in a first look.
func (b *bench) bodyBytes() int64 {
	if b.each < time.Second {
		return bigBody / 8
	}
	return bigBody
}

func (b *bench) eventDelay(ctx context.Context, c *contender) error {
	r, _, err := b.load(ctx, c, spec{Kind: loadEvents, Tokens: b.tokens.good(1)})
	if err == nil {
		b.figures.note("6b", c.name, figP50, us(r.P50))
	}
	return err
}

// start notes what was taken when the contender was started.
func (b *bench) start(_ context.Context, c *contender) error {
	b.figures.note("7", c.name, figStart, ms(c.up))
	b.figures.note("7", c.name, figRSS, float64(c.rest)/(1<<20))
	if c.name != catflap {
		return nil
	}
	info, err := os.Stat(b.catflap)
	if err == nil {
		b.figures.note("7", c.name, figBinary, float64(info.Size())/1e6)
	}
	return err
}
