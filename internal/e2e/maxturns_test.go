package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestTurnsAtOneCat: with cat.max_turns no more turns than that are ever under way at
// the Cat, over sockets and POST /message, and each gets its answer.
func TestTurnsAtOneCat(t *testing.T) {
	t.Parallel()
	for _, most := range []int64{1, 2} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			var now, seen atomic.Int64
			cat := serveCat(t, "127.0.0.1:0", standin.Options{
				APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: "no default",
				Reply: func(_, text string) string {
					defer now.Add(-1)
					for n := now.Add(1); ; {
						if old := seen.Load(); n <= old || seen.CompareAndSwap(old, n) {
							break
						}
					}
					time.Sleep(10 * time.Millisecond)
					return "You said: " + text
				},
			})
			f := start(t, config{cat: cat.tap.addr, catMore: fmt.Sprintf("max_turns: %d", most)})
			var all sync.WaitGroup
			for _, name := range []string{"ann", "ben", "cem", "dan"} {
				w := mustChat(t, f, staff.token(name))
				all.Go(func() {
					for i := range 5 {
						expectTurn(t, w, fmt.Sprint("turn ", i), idOf(name))
					}
				})
				all.Go(func() {
					for range 3 {
						if got := exchange(t, f.addr, "POST", message(f.addr, staff.token(name))).status; got != 200 {
							t.Errorf("POST /message of %s is answered %d", name, got)
						}
					}
				})
			}
			all.Wait()
			if got := seen.Load(); got != most {
				t.Errorf("%d turns were under way at once", got)
			}
		})
	}
}
