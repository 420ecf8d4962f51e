package session

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// tallyLife is how long a process may be away and find its number again.
const tallyLife = time.Hour

// tallyScript: KEYS tally; ARGV number, life. It returns the number before, or "".
var tallyScript = redis.NewScript(`
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return before or ''`)

// tally is a number that one process counts up in Redis. A process that finds another than
// the one they wrote last knows that Redis was emptied, or put back to an older state,
// also where no connection was lost by it.
type tally struct {
	key  string
	last int64 // 0: none is written yet
}

// broken counts on, and reports that the number is not as it was left. An error is no
// sign of it; a number whose answer was lost is, for nothing.
func (t *tally) broken(ctx context.Context, r *Redis) bool {
	before, err := tallyScript.Run(ctx, r.client, []string{t.key}, t.last+1, tallyLife.Milliseconds()).Text()
	if err != nil {
		return false
	}
	broken := t.last > 0 && before != strconv.FormatInt(t.last, 10)
	t.last++
	return broken
}
