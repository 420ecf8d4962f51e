//go:build lockorder

package lock

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Of is a mutex of T, which names it in the order.
type Of[T any] struct {
	sync.Mutex
	holder uint64 // the goroutine, while it is held
}

// Lock notes which locks the goroutine holds, and locks.
func (m *Of[T]) Lock() {
	name, me := nameOf[T](), goroutine()
	taken.before(me, name)
	m.Mutex.Lock()
	m.holder = me
	taken.hold(me, name)
}

// TryLock never waits, so that it is in no order.
func (m *Of[T]) TryLock() bool {
	if !m.Mutex.TryLock() {
		return false
	}
	m.holder = goroutine()
	taken.hold(m.holder, nameOf[T]())
	return true
}

// Unlock gives the lock back, in whichever goroutine.
func (m *Of[T]) Unlock() {
	taken.giveBack(m.holder, nameOf[T]())
	m.Mutex.Unlock()
}

// Check compares the locks that were held together with an order of their names, the
// first to be taken first, and returns what is wrong.
func Check(order []string) (wrong []string) {
	taken.mu.Lock()
	defer taken.mu.Unlock()
	for pair, where := range taken.pairs {
		outer, inner := slices.Index(order, pair.outer), slices.Index(order, pair.inner)
		if outer < 0 || inner < 0 || outer >= inner {
			wrong = append(wrong, fmt.Sprintf("%s is taken while %s is held, which the order does not have:\n%s", pair.inner, pair.outer, where))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// taken is what the goroutines of this process hold and have held. It is for tests alone.
var taken = &notes{held: map[uint64][]string{}, pairs: map[pair]string{}}

type pair struct{ outer, inner string }

type notes struct {
	mu    sync.Mutex
	held  map[uint64][]string
	pairs map[pair]string // to where it was seen first
}

func (n *notes) before(me uint64, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, outer := range n.held[me] {
		if p := (pair{outer, name}); n.pairs[p] == "" {
			stack := make([]byte, 4<<10)
			n.pairs[p] = string(stack[:runtime.Stack(stack, false)])
		}
	}
}

func (n *notes) hold(me uint64, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held[me] = append(n.held[me], name)
}

func (n *notes) giveBack(holder uint64, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.held[holder]
	if i := slices.Index(list, name); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if n.held[holder] = list; len(list) == 0 {
		delete(n.held, holder)
	}
}

func nameOf[T any]() string {
	name := reflect.TypeFor[T]().String()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// goroutine is the number that the runtime writes in front of a stack.
func goroutine() uint64 {
	b := make([]byte, 64)
	b = b[:runtime.Stack(b, false)]
	field, _, _ := bytes.Cut(bytes.TrimPrefix(b, []byte("goroutine ")), []byte(" "))
	id, _ := strconv.ParseUint(string(field), 10, 64)
	return id
}
