package tokencache

import (
	"slices"
	"strconv"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Lists keeps equal lists of texts once: thousands of remembered people have a
// handful of different groups among them.
type Lists struct{ known *lru.Cache[string, []string] }

// NewLists makes an empty collection that knows at most size lists.
func NewLists(size int) (*Lists, error) {
	known, err := lru.New[string, []string](size)
	if err != nil {
		return nil, err
	}
	return &Lists{known: known}, nil
}

// Share returns a list that equals the given one and may be shared, so nobody may
// change it. Its texts share no memory with those of the given list.
func (l *Lists) Share(list []string) []string {
	if len(list) == 0 {
		return list
	}
	k := listKey(list)
	if shared, ok := l.known.Get(k); ok && slices.Equal(shared, list) {
		return shared
	}
	own := make([]string, len(list))
	for i, s := range list {
		own[i] = strings.Clone(s)
	}
	l.known.Add(k, own)
	return own
}

// listKey is different for different lists, whatever is in them.
func listKey(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(strconv.Itoa(len(s)))
		b.WriteByte(':')
		b.WriteString(s)
	}
	return b.String()
}
