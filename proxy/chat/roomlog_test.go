package chat

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// logLab is a log with readers that have names, and a clock that stands.
type logLab struct {
	t       testing.TB
	log     *roomLog
	now     time.Time
	readers map[string]*logReader
	heard   map[string][]string // by reader
	missed  int                 // events of it
}

func newLogLab(t testing.TB, set Settings) *logLab {
	l := &logLab{t: t, now: time.Unix(1e9, 0), readers: map[string]*logReader{}, heard: map[string][]string{}}
	h := NewHub(Options{Settings: set, Observe: func(e Event) {
		if e.Kind == EventMissed && e.User != nil {
			l.missed++
		}
	}})
	l.log = &roomLog{person: newPerson(h, "/alice", "/alice")}
	l.log.person.room.newest.user = &authhandlers.AuthUserInfo{ID: "/alice"}
	return l
}

// frameOf is a whole answer; a name that begins with w is a word of one, and one with n
// something else.
func frameOf(name string) *outbound {
	what := map[byte]string{'w': "chat_token", 'n': "notification"}[name[0]]
	if what == "" {
		what = "chat"
	}
	return ofCat(websocket.TextMessage, []byte(`{"type":"`+what+`","content":"`+name+`"}`))
}

func nameOf(m *outbound) string {
	_, name, _ := strings.Cut(string(m.data), `"content":"`)
	return strings.TrimSuffix(name, `"}`)
}

// step does one thing, such as "say a", "A comes", "A reads", "B is sent".
func (l *logLab) step(step string) {
	l.t.Helper()
	who, verb, _ := strings.Cut(step, " ")
	if who == "say" {
		l.log.append(frameOf(verb))
		return
	}
	r := l.readers[who]
	verb, number, _ := strings.Cut(verb, " to ")
	n := uint64(0)
	_, _ = fmt.Sscan(number, &n)
	missing := false
	switch verb {
	case "comes", "comes, a page", "comes, another Catflap":
		l.readers[who] = &logReader{kind: map[string]readerKind{"comes, a page": pageReads, "comes, another Catflap": remoteReads}[verb]}
		l.log.join(l.readers[who])
	case "reads":
		l.give(who, func(n uint64) { r.gave(n); r.confirm(n, l.now) })
	case "reads one":
		m, n := r.next()
		l.heard[who] = append(l.heard[who], nameOf(m))
		r.gave(n)
		r.confirm(n, l.now)
	case "is sent":
		l.give(who, r.gave)
	case "says it has read":
		if number == "" {
			n = r.given
		}
		r.reads(n, l.now)
	case "is told":
		r.tell(frameOf("own"), frameOf("heir"))
	case "stops":
		r.stop()
	case "leaves":
		missing = r.leave(r.read)
	case "goes away":
		missing = r.leave(r.shown(l.now))
	case "leaves, having read":
		missing = r.leave(n)
	case "moves":
		r.move()
	case "says it has read its own":
		r.readsOwn(len(r.own.written()))
	case "dies":
		missing = r.die()
	case "waits":
		l.now = l.now.Add(unheardFor)
	case "passes":
		l.now = l.now.Add(unheardFor)
		l.log.tidy(l.now, func(*logReader) bool { return false })
	case "is given up":
		l.log.settle()
	default:
		l.t.Fatalf("no step %q", step)
	}
	if missing {
		l.log.append(frameOf("Missed"))
	}
}

func (l *logLab) give(who string, gave func(uint64)) {
	for {
		m, n := l.readers[who].next()
		if m == nil {
			return
		}
		l.heard[who] = append(l.heard[who], nameOf(m))
		gave(n)
	}
}

// isEmpty asserts that nothing is held when all have read and left.
func (l *logLab) isEmpty() {
	l.t.Helper()
	for _, r := range slices.Clone(l.log.readers) {
		r.leave(r.given)
	}
	l.log.settle()
	if held := l.log.person.hub.held.Load(); held != 0 || l.log.list != nil || l.log.readers != nil || l.log.slowest != nil {
		l.t.Errorf("%d bytes are held, of %d messages", held, len(l.log.list))
	}
}

// TestRoomLog is who hears what, by who was there, and how they left.
func TestRoomLog(t *testing.T) {
	for name, row := range map[string]struct {
		steps string // one behind the other
		want  string // what each hears in the end, in the order of their names
	}{
		"all hear all in one order":           {"A comes; B comes; say a; A reads; say b; B reads; A reads", "A: a b; B: a b"},
		"nobody is there":                     {"say a; say b; A comes; A reads", "A: a b"},
		"what was read is not said again":     {"A comes; say a; A reads; A leaves; B comes; B reads", "A: a; B:"},
		"what was not is":                     {"A comes; say a; say b; A reads one; A leaves; B comes; B reads", "A: a; B: b"},
		"one of two has read it":              {"A comes; B comes; say a; A reads; A leaves; B leaves; C comes; C reads", "A: a; C:"},
		"the other reads it later":            {"A comes; B comes; say a; A leaves; B reads; B leaves; C comes; C reads", "B: a; C:"},
		"neither has":                         {"A comes; B comes; say a; A leaves; B leaves; C comes; C reads", "C: a"},
		"one comes while it waits for a slow": {"A comes; say a; say b; C comes; C reads; A reads", "A: a b; C: a b"},
		"one comes, and the slow is cut":      {"A comes; say a; say b; C comes; A stops; A leaves; say c; C reads", "C: a b c"},
		"one that is ended is not given more": {"A comes; A stops; say a; A reads; A leaves; B comes; B reads", "B: a"},
		"the words before the answer":         {"say w1; say w2; say a; say w3; A comes; A reads", "A: a w3"},
		"the words of an unread answer":       {"A comes; say w1; say n; say a; A leaves; B comes; B reads", "B: n a"},
		"the words to one that is slow":       {"A comes; say w1; say w2; say a; A reads", "A: w1 w2 a"},
		"the words without the answer":        {"A comes; say w1; A leaves; B comes; B reads; say a; B reads", "B: w1 a"},

		"a page that goes away":               {"A comes, a page; say a; A reads; A goes away; B comes; B reads", "A: a; B: a"},
		"a page that goes away later":         {"A comes, a page; say a; A reads; A passes; say b; A reads; A goes away; B comes; B reads", "A: a b; B: b"},
		"a page that closes":                  {"A comes, a page; say a; A reads; A leaves; B comes; B reads", "A: a; B:"},
		"the new page comes first":            {"A comes, a page; say a; A reads; B comes; A goes away; B reads", "A: a; B: a"},
		"the new page comes first, and hears": {"A comes, a page; say a; A reads; B comes; say b; B reads; A goes away; B reads", "A: a; B: b a"},
		"another hears what a page may not":   {"A comes, a page; C comes; say a; A reads; A goes away; B comes; B reads; C reads", "A: a; B: a; C: a"},
		"another has heard it":                {"A comes, a page; C comes; say a; A reads; C reads; A goes away; B comes; B reads", "A: a; B:; C: a"},
		"another has heard it and left":       {"A comes, a page; C comes; say a; A reads; C reads; C leaves; B comes; A goes away; B reads", "A: a; B:; C: a"},
		"one that came late has heard more":   {"A comes, a page; say a; A reads; C comes; say b; C reads; C leaves; A goes away; B comes; B reads", "A: a; B: a; C: b"},
		"its words are not said again":        {"A comes, a page; say n; say w1; A reads; A goes away; B comes; B reads; say a; B reads", "A: n w1; B: n a"},

		"another Catflap has read it":          {"B comes, another Catflap; say a; B is sent; B says it has read; B dies; C comes; C reads", "B: a; C:"},
		"nobody knows":                         {"B comes, another Catflap; say a; B is sent; C comes; B dies; C reads", "B: a; C: Missed"},
		"nobody knows, and nobody is there":    {"B comes, another Catflap; say a; B is sent; B dies; C comes; C reads", "B: a; C: Missed"},
		"it was not sent yet":                  {"B comes, another Catflap; say a; B dies; C comes; C reads", "C: a"},
		"only a word is in doubt":              {"B comes, another Catflap; say w1; B is sent; B dies; C comes; C reads", "B: w1; C:"},
		"one here will read it":                {"A comes; B comes, another Catflap; say a; B is sent; B dies; A reads", "A: a; B: a"},
		"one here does not read it":            {"A comes; B comes, another Catflap; say a; B is sent; B dies; A leaves; C comes; C reads", "B: a; C: a"},
		"its page has not shown it":            {"B comes, another Catflap; say a; say b; B is sent; B says it has read; B leaves, having read to 1; C comes; C reads", "B: a b; C: b"},
		"its page has not, and one is there":   {"B comes, another Catflap; say a; B is sent; B says it has read; C comes; B leaves, having read to 0; C reads", "B: a; C: a"},
		"it says so too late":                  {"B comes, another Catflap; say a; B is sent; B says it has read; B passes; B passes; B passes; B passes; B passes; B passes; B passes; B passes; B leaves, having read to 0; C comes; C reads", "B: a; C: Missed"},
		"it says so too late, another read it": {"A comes; B comes, another Catflap; say a; A reads; B is sent; B says it has read; B passes; B passes; B passes; B passes; B passes; B passes; B passes; B passes; B leaves, having read to 0; C comes; C reads", "A: a; B: a; C:"},

		"a page that goes away just too late":    {"A comes, a page; say a; A reads; A waits; A goes away; B comes; B reads", "A: a; B:"},
		"what waited is given up":                {"say a; all is given up; A comes; A reads", "A:"},
		"words that one came too late for":       {"A comes; B comes, another Catflap; say w1; B is sent; C comes; B leaves, having read to 0; A leaves; C reads", "B: w1; C:"},
		"it knows of more than it was sent":      {"B comes, another Catflap; say a; B says it has read to 9; B dies; C comes; C reads", "C: a"},
		"it says what was before it":             {"A comes; say a; A reads; A leaves; B comes, another Catflap; say b; B is sent; B leaves, having read to 0; C comes; C reads", "A: a; B: b; C: b"},
		"another Catflap moves":                  {"B comes, another Catflap; B is told; say a; B is sent; say b; B moves; C comes; C reads", "B: own a; C: b"},
		"an error that nobody has for sure":      {"B comes, another Catflap; B is told; B is sent; B dies; C comes; C reads", "B: own; C: Missed"},
		"an error that it has":                   {"B comes, another Catflap; B is told; B is sent; B says it has read its own; B dies; C comes; C reads", "B: own; C:"},
		"an error that it leaves":                {"B comes, another Catflap; B is told; B is sent; B leaves, having read to 0; C comes; C reads", "B: own; C: heir"},
		"an error that it was not sent":          {"B comes, another Catflap; B is told; B dies; C comes; C reads", "C: Missed"},
		"a page after one that says so too late": {"B comes, another Catflap; say a; say b; B is sent; B says it has read; B waits; B waits; B waits; B waits; B waits; B waits; B waits; B passes; B leaves, having read to 1; C comes, a page; C reads; C goes away; D comes; D reads", "B: a b; C: Missed; D: Missed"},
		"an error is for its sender":             {"A comes; B comes; say a; A is told; say b; A reads; B reads", "A: a own b; B: a b"},
		"the sender leaves without it":           {"A comes; B comes; A is told; A leaves; B reads", "B: heir"},
		"the sender leaves, nobody is there":     {"A comes; say a; A is told; A leaves; C comes; C reads", "C: a heir"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogLab(t, shared)
			for step := range strings.SplitSeq(row.steps, "; ") {
				l.step(step)
			}
			var got []string
			for _, who := range slices.Sorted(maps.Keys(l.readers)) {
				if h := l.heard[who]; len(h) > 0 || strings.Contains(row.want, who+":") {
					got = append(got, strings.TrimSpace(who+": "+strings.Join(h, " ")))
				}
			}
			if got := strings.Join(got, "; "); got != row.want {
				t.Errorf("%s", got)
			}
			l.isEmpty()
		})
	}
}

// TestRoomLogGivesBack is the table of what is given back, for each order in which up to
// three readers end, whether somebody else comes before that or afterwards.
func TestRoomLogGivesBack(t *testing.T) {
	const reads, givesBack, elsewhere, dies = "reads", "gives back", "gives back elsewhere", "dies"
	play := func(t *testing.T, ends []string, early bool) []string {
		l := newLogLab(t, shared)
		for i, end := range ends {
			l.step(fmt.Sprint(i, map[bool]string{true: " comes, another Catflap", false: " comes"}[end == elsewhere || end == dies]))
		}
		l.step("say hello")
		for i, end := range ends {
			switch end {
			case reads:
				l.step(fmt.Sprint(i, " reads"))
			case elsewhere, dies:
				l.step(fmt.Sprint(i, " is sent"))
			}
		}
		if early {
			l.step("next comes")
		}
		for i, end := range ends {
			l.step(fmt.Sprint(i, map[string]string{reads: " leaves", givesBack: " leaves", elsewhere: " leaves, having read to 0", dies: " dies"}[end]))
		}
		if !early {
			l.step("next comes")
		}
		l.step("next reads")
		l.isEmpty()
		return l.heard["next"]
	}
	all := [][]string{nil}
	for range 3 {
		for _, ends := range slices.Clone(all) {
			for _, end := range []string{reads, givesBack, elsewhere, dies} {
				all = append(all, append(slices.Clone(ends), end))
			}
		}
	}
	for _, ends := range all[1:] {
		want := []string{"hello"}
		switch {
		case slices.Contains(ends, reads):
			want = nil
		case ends[len(ends)-1] == dies:
			want = []string{"Missed"}
		}
		for _, early := range []bool{true, false} {
			if got := play(t, ends, early); !slices.Equal(got, want) {
				t.Errorf("%q, somebody else is there before: %v: hears %q, and not %q", ends, early, got, want)
			}
		}
	}
}

// TestRoomLogIsBounded: what nobody reads is bounded, words go first, and the next to come
// is told of the rest. One message is kept, whatever its size.
func TestRoomLogIsBounded(t *testing.T) {
	set := shared
	set.MaxQueued, set.MaxQueue = 3, 300
	for name, row := range map[string]struct {
		steps string
		want  []string
		lost  int
	}{
		"too many":         {"say a; say b; say c; say d; say e", []string{"c", "d", "e"}, 2},
		"words go first":   {"say a; say w1; say b; say w2; say c; say w3; say w4", []string{"a", "b", "c"}, 0},
		"too large":        {"say a; say b" + strings.Repeat("x", 300), []string{"b" + strings.Repeat("x", 300)}, 1},
		"one is not ended": {"A comes; say a; say b; say c; say d", []string{"a", "b", "c", "d"}, 0},
		"all are ended":    {"A comes; say a; say b; A stops; say c; say d", []string{"b", "c", "d"}, 1},
		"it ends later":    {"A comes; say a; say b; say c; say d; A stops", []string{"b", "c", "d"}, 1},
		"and leaves":       {"A comes; say a; say b; say c; say d; A leaves", []string{"b", "c", "d"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogLab(t, set)
			for step := range strings.SplitSeq(row.steps, "; ") {
				l.step(step)
			}
			l.step("next comes")
			l.step("next reads")
			if row.lost > 0 {
				row.want = append([]string{fmt.Sprintf("You were away for too much: %d earlier messages were dropped.", row.lost)}, row.want...)
			}
			if got := l.heard["next"]; !slices.Equal(got, row.want) {
				t.Errorf("hears %q", got)
			}
			l.isEmpty()
		})
	}
}

// TestRoomLogForAPage: what a page may not have shown is kept within its window and the
// bounds; words are not, and a page that stays holds nothing.
func TestRoomLogForAPage(t *testing.T) {
	set := shared
	set.MaxQueued = 3
	l := newLogLab(t, set)
	going := false
	tidy := func() time.Duration { return l.log.tidy(l.now, func(*logReader) bool { return going }) }
	l.step("A comes, a page")
	l.step("say w1")
	l.step("A reads")
	if l.log.list != nil || tidy() != 0 {
		t.Error("a word is kept")
	}
	for range 5 {
		l.step("say a")
		l.step("A reads")
		l.now = l.now.Add(unheardFor / 10)
	}
	if n := len(l.log.list); n != 3 {
		t.Errorf("%d are kept", n)
	}
	if again := tidy(); again != unheardFor*7/10 {
		t.Errorf("the first is forgotten after %v", again)
	}
	going = true
	l.now = l.now.Add(2 * unheardFor)
	if again := tidy(); again != unheardFor || len(l.log.list) != 3 {
		t.Errorf("what is going away forgets, and again after %v", again)
	}
	going = false
	if r := l.readers["A"]; tidy() != 0 || l.log.list != nil || r.marks != nil {
		t.Error("a page that stays holds something")
	}
	l.isEmpty()
}

// TestRoomLogIsFull: when a person holds too much, one that is behind is to be ended, and
// what nobody is there to read is lost.
func TestRoomLogIsFull(t *testing.T) {
	set := shared
	set.MaxHeldPerUser = 100
	l := newLogLab(t, set)
	l.step("A comes")
	large := func() *outbound { return frameOf("a" + strings.Repeat("x", 200)) }
	if full := l.readers["A"].tell(large(), nil); full != nil {
		t.Error("the only one for it is refused")
	}
	if full := l.readers["A"].tell(large(), nil); full == nil {
		t.Error("one behind it is not")
	}
	if full := l.log.append(large()); full == nil || len(l.log.list) != 1 || l.log.person.held.Load() < 400 {
		t.Error("one for all is refused or not counted, or nobody is to be ended")
	}
	l.step("A reads")
	l.isEmpty()
	if full := l.log.append(large()); full == nil || l.log.list != nil || l.log.lost != 1 {
		t.Error("it is kept for nobody")
	}
	l.isEmpty()
}

// TestRoomLogInAnyOrder plays what may happen in any order, and compares with what must
// hold, whatever happens.
func TestRoomLogInAnyOrder(t *testing.T) {
	for seed := range uint64(3000) {
		if t.Failed() {
			break
		}
		r := rand.New(rand.NewPCG(seed, 0))
		script := make([]byte, 2*(20+r.IntN(100)))
		for i := range script {
			script[i] = byte(r.IntN(256))
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playLog(t, script) })
	}
}

func FuzzRoomLog(f *testing.F) {
	f.Add([]byte{4, 0, 0, 0, 10, 0, 3, 0, 14, 0})
	f.Fuzz(func(t *testing.T, script []byte) { playLog(t, script[:min(len(script), 600)]) })
}

// playLog plays a script: each two bytes are something that happens, and to whom. The first
// says whether the bounds are narrow.
func playLog(t *testing.T, script []byte) {
	set := shared
	narrow := len(script) > 0 && script[0]%4 == 0
	if narrow {
		set.MaxQueued, set.MaxQueue = 3, 300
	}
	g := &logGame{t: t, lab: newLogLab(t, set), narrow: narrow, said: map[string]bool{}, seen: map[string]bool{}, gone: map[string]bool{}, moved: map[string]bool{}}
	for len(script) > 1 {
		g.play(script[0], int(script[1]))
		g.check()
		script = script[2:]
	}
	g.finish()
}

// logGame is a log and what is known of it from outside.
type logGame struct {
	t      *testing.T
	lab    *logLab
	narrow bool
	all    []*logPlayer
	serial int
	said   map[string]bool // to all
	seen   map[string]bool // by somebody, for sure
	gone   map[string]bool // lost, and told or meant to be
	moved  map[string]bool // appended once more
	told   int             // of messages that were dropped
}

// logPlayer is a reader, and what it has been given.
type logPlayer struct {
	*logReader
	remote, page bool
	got          []heard
	due          []string        // what was said to all since it came
	seenBefore   map[string]bool // when it came
	pending      *outbound       // being written
	pendingN     uint64
	toldOwn      int
	gotOwn       int
}

type heard struct {
	name string
	n    uint64
	at   time.Time
}

func (g *logGame) play(op byte, arg int) {
	l := g.lab.log
	var p *logPlayer
	if n := len(g.all); n > 0 {
		p, arg = g.all[arg%n], arg/n
	}
	switch op % 20 {
	case 0, 1, 2:
		g.say([]string{"a", "w", "n"}[op%20])
	case 3, 4, 5:
		if len(g.all) < 6 {
			g.come(op%20 == 4, op%20 == 5)
		}
	case 6, 7:
		g.begin(p)
	case 8, 9:
		g.end(p)
	case 10:
		g.drain(p)
	case 11:
		if p != nil && p.remote && len(p.got) > 0 {
			p.reads(p.got[arg%len(p.got)].n, g.lab.now)
			g.readsOwn(p, arg%3)
		}
	case 12:
		g.part(p, func() bool { return g.leave(p, arg%2 == 0) })
	case 13:
		g.part(p, func() bool { return g.goAway(p, arg) })
	case 14:
		g.part(p, func() bool { return g.die(p) })
	case 15:
		if p != nil {
			p.stop()
		}
	case 16, 17:
		g.lab.now = g.lab.now.Add([]time.Duration{time.Millisecond, 90 * time.Millisecond, unheardFor, recentFor}[arg%4])
		l.tidy(g.lab.now, func(*logReader) bool { return false })
	case 18:
		if p != nil && !p.ended {
			g.serial++
			own := frameOf(fmt.Sprint("own", g.serial))
			if p.tell(own, frameOf(fmt.Sprint("heir", g.serial))) == nil {
				p.toldOwn++
			}
		}
	case 19:
		if len(l.readers) == 0 && arg%8 == 0 {
			for _, m := range l.unread() {
				g.gone[nameOf(m)] = true
			}
			g.told += l.lost
			l.settle()
		}
	}
}

func (g *logGame) say(kind string) {
	g.serial++
	m := frameOf(fmt.Sprint(kind, g.serial))
	g.said[nameOf(m)] = true
	g.lab.log.append(m)
	g.noteDue(nameOf(m))
}

func (g *logGame) noteDue(name string) {
	for _, p := range g.all {
		if !p.ended {
			p.due = append(p.due, name)
		}
	}
}

func (g *logGame) come(page, remote bool) {
	p := &logPlayer{logReader: &logReader{}, page: page, remote: remote, seenBefore: g.sure()}
	if page {
		p.kind = pageReads
	} else if remote {
		p.kind = remoteReads
	}
	waiting := g.lab.log.unread()
	g.lab.log.join(p.logReader)
	for _, m := range waiting {
		p.due = append(p.due, nameOf(m))
	}
	g.all = append(g.all, p)
}

// sure is what somebody has surely read by now.
func (g *logGame) sure() map[string]bool {
	s := maps.Clone(g.seen)
	for _, p := range g.all {
		for _, h := range p.got {
			if !p.remote && (!p.page || g.lab.now.Sub(h.at) >= unheardFor) {
				s[h.name] = true
			}
		}
	}
	return s
}

// begin begins to write what comes next.
func (g *logGame) begin(p *logPlayer) {
	if p == nil || p.pending != nil {
		return
	}
	p.pending, p.pendingN = p.next()
}

// end ends that.
func (g *logGame) end(p *logPlayer) {
	if p == nil || p.pending == nil {
		return
	}
	m, n := p.pending, p.pendingN
	p.pending = nil
	name := nameOf(m)
	if n == 0 {
		if !isAway(name) {
			p.gotOwn++
		}
		if p.gave(0); !p.remote {
			g.readsOwn(p, 1)
		}
		return
	}
	for _, h := range p.got {
		if h.name == name {
			g.t.Errorf("%s is given to one twice", name)
		}
		if !g.moved[name] && !g.moved[h.name] && order(h.name) > order(name) {
			g.t.Errorf("%s comes behind %s", name, h.name)
		}
	}
	if p.seenBefore[name] {
		g.t.Errorf("%s is said again to one who came after it was read", name)
	}
	p.got = append(p.got, heard{name, n, g.lab.now})
	if p.remote {
		p.gave(n)
	} else {
		p.gave(n)
		p.confirm(n, g.lab.now)
	}
}

// isAway reports the word about what was dropped.
func isAway(name string) bool { return strings.HasPrefix(name, "You were away") }

// readsOwn has one read what is for it alone, which may be how many were dropped.
func (g *logGame) readsOwn(p *logPlayer, count int) {
	written := p.own.written()
	for _, o := range written[:min(count, len(written))] {
		g.told += o.lost
	}
	p.readsOwn(count)
}

func order(name string) (n int) {
	_, _ = fmt.Sscan(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyzM"), &n)
	return n
}

// drain gives one all that waits.
func (g *logGame) drain(p *logPlayer) {
	if p == nil {
		return
	}
	for g.end(p); ; g.end(p) {
		if g.begin(p); p.pending == nil {
			break
		}
	}
	if p.ended {
		return
	}
	for _, name := range p.due {
		if !g.gone[name] && !slices.ContainsFunc(p.got, func(h heard) bool { return h.name == name }) {
			g.t.Errorf("one that was there was not given %s", name)
		}
	}
	if p.gotOwn != p.toldOwn {
		g.t.Errorf("%d of %d for it alone", p.gotOwn, p.toldOwn)
	}
}

// part has one leave in some way, whose write has ended or not.
func (g *logGame) part(p *logPlayer, leave func() bool) {
	if p == nil {
		return
	}
	p.pending = nil
	p.stop()
	before := map[string]uint64{}
	for _, e := range g.lab.log.list {
		before[nameOf(e.m)] = e.n
	}
	g.all = slices.DeleteFunc(g.all, func(x *logPlayer) bool { return x == p })
	missing := leave()
	for _, e := range g.lab.log.list {
		name := nameOf(e.m)
		if n := before[name]; n != 0 && n != e.n {
			g.moved[name] = true
			g.noteDue(name)
		}
		if !g.said[name] { // the heir of its own; what has its number was for one alone
			g.said[name], g.moved[name] = true, true
			g.noteDue(name)
		}
	}
	if missing {
		g.say("Missed")
	}
}

// leave is a clean end: all that it was given has been read. Another Catflap may look for
// another way to the Cat.
func (g *logGame) leave(p *logPlayer, moves bool) bool {
	for _, h := range p.got {
		g.seen[h.name] = true
	}
	if p.remote && moves {
		p.move()
		return false
	}
	return g.inherit(p, p.given)
}

// inherit has one leave, and somebody told in its place what was for it alone.
func (g *logGame) inherit(p *logPlayer, n uint64) bool {
	own := slices.Concat(p.own.written(), p.own.waiting())
	missing := p.leave(n)
	for _, o := range own {
		if o.heir != nil && !g.narrow && !slices.ContainsFunc(g.lab.log.list, func(e logged) bool { return e.m == o.heir }) {
			g.t.Errorf("%s has no heir", nameOf(o.m))
		}
	}
	return missing
}

// goAway is a page that goes away, here or elsewhere: what it was given last it has not
// read.
func (g *logGame) goAway(p *logPlayer, arg int) bool {
	n := p.shown(g.lab.now)
	if p.remote {
		if n = p.start; len(p.got) > 0 {
			n = p.got[arg%len(p.got)].n
		}
	}
	doubt := map[string]bool{}
	for _, h := range p.got {
		switch {
		case (p.remote || g.narrow) && h.n <= n, !p.remote && (!p.page || g.lab.now.Sub(h.at) >= unheardFor):
			g.seen[h.name] = true
		default:
			doubt[h.name] = true
		}
	}
	missing := g.inherit(p, n)
	g.mustMiss(missing, doubt)
	return missing
}

// mustMiss notes what is missing of what was in doubt: nobody has read it for sure, and it
// is not in the log any more. If it is told that something is, something must be.
func (g *logGame) mustMiss(missing bool, doubt map[string]bool) {
	if !missing {
		return
	}
	for _, e := range g.lab.log.list {
		delete(doubt, nameOf(e.m))
	}
	if len(doubt) == 0 {
		g.t.Error("something is said to be missing that is not")
	}
	for name := range doubt {
		g.gone[name] = true
	}
}

// die is the end of another Catflap. What it has said that it has read, it has.
func (g *logGame) die(p *logPlayer) bool {
	if !p.remote {
		return g.leave(p, false)
	}
	doubt := map[string]bool{}
	for _, h := range p.got {
		if h.n <= p.read {
			g.seen[h.name] = true
		} else if h.name[0] != 'w' {
			doubt[h.name] = true
		}
	}
	for _, o := range slices.Concat(p.own.written(), p.own.waiting()) {
		if o.heir != nil {
			doubt[nameOf(o.m)] = true
		}
	}
	missing := p.die()
	sure := g.sure()
	maps.DeleteFunc(doubt, func(name string, _ bool) bool { return sure[name] })
	g.mustMiss(missing, doubt)
	return missing
}

// check compares the log with itself.
func (g *logGame) check() {
	l := g.lab.log
	held, floor := int64(0), l.left
	for i, r := range l.readers {
		if i == 0 || r.floor() < floor {
			floor = r.floor()
		}
		for _, o := range slices.Concat(r.own.written(), r.own.waiting()) {
			held += o.m.size()
		}
	}
	last := floor
	for _, e := range l.list {
		held += e.m.size()
		if e.n <= last {
			g.t.Errorf("number %d behind %d, or kept for nobody", e.n, last)
		}
		last = e.n
	}
	if got := l.person.hub.held.Load(); got != held {
		g.t.Errorf("%d bytes are counted, %d are held", got, held)
	}
	for _, r := range l.readers {
		bytes, count, under := int64(0), 0, len(r.own.written())
		for _, o := range r.own.waiting() {
			bytes, count = bytes+o.m.size(), count+1
		}
		for _, e := range l.list {
			if e.n > r.given {
				bytes, count = bytes+e.m.size(), count+1
			} else if e.n > r.read {
				under++
			}
		}
		if b, c := r.behind(); b != bytes || c != count {
			g.t.Errorf("%d messages wait with %d bytes; it says %d and %d", count, bytes, c, b)
		}
		if _, n := r.underWay(); n != under {
			g.t.Errorf("%d messages are under way; it says %d", under, n)
		}
	}
	reads := slices.ContainsFunc(l.readers, func(r *logReader) bool { return !r.ended })
	if bytes, count := l.between(l.position(), l.head); !reads && g.narrow && count > 1 && (count > 3 || bytes > 300) {
		g.t.Errorf("%d messages of %d bytes wait for nobody", count, bytes)
	}
}

// finish has all read and leave, and one come after them. What nobody has read is told.
func (g *logGame) finish() {
	for _, p := range slices.Clone(g.all) {
		g.drain(p)
		g.part(p, func() bool { return g.leave(p, false) })
		g.check()
	}
	whole := 0
	for _, e := range g.lab.log.list {
		if e.m.what == "chat" {
			whole = order(nameOf(e.m))
		}
	}
	g.come(false, false)
	last := g.all[0]
	g.drain(last)
	for _, h := range last.got {
		if h.name[0] == 'w' && order(h.name) < whole && !g.moved[h.name] {
			g.t.Errorf("the word %s comes, and the whole answer", h.name)
		}
	}
	g.part(last, func() bool { return g.leave(last, false) })
	silent := 0
	for name := range g.said {
		if !g.seen[name] && !g.gone[name] && name[0] != 'w' {
			silent++
		}
	}
	if silent > g.lab.missed {
		g.t.Errorf("%d messages are lost, and %d are told", silent, g.lab.missed)
	}
	if g.told+g.lab.log.lost != g.lab.missed || !g.narrow && g.lab.missed > 0 {
		g.t.Errorf("%d are dropped, %d are told of, and %d will be", g.lab.missed, g.told, g.lab.log.lost)
	}
	g.lab.isEmpty()
}

// BenchmarkRoomLog measures a message that all readers read at once. It allocates nothing.
func BenchmarkRoomLog(b *testing.B) {
	for _, readers := range []int{1, 4, 32} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			l := newLogLab(b, shared)
			all := make([]*logReader, readers)
			for i := range all {
				all[i] = &logReader{}
				l.log.join(all[i])
			}
			m := frameOf("a")
			b.ReportAllocs()
			for b.Loop() {
				l.log.append(m)
				for _, r := range all {
					_, n := r.next()
					r.gave(n)
					r.confirm(n, l.now)
				}
			}
		})
	}
}
