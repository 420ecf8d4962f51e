package refusals

//go:generate go run ./generate

import (
	"errors"
	"strings"
)

// Between these lines of a page the table stands.
const (
	begin = "<!-- The table of proxy/refusals; `make generate` writes it. -->\n"
	end   = "<!-- The end of the table. -->\n"
)

// Into returns the page with the table as it is now.
func Into(page string) (string, error) {
	before, rest, begun := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return "", errors.New("the page has no place for the table of refusals")
	}
	return before + begin + "\n" + markdown() + "\n" + end + after, nil
}

// markdown writes the table.
func markdown() string {
	var b strings.Builder
	b.WriteString("| refusal | cause | do |\n|---|---|---|\n")
	for _, r := range Table() {
		b.WriteString("| " + r.named() + " | " + r.Cause + " | " + r.Do + " |\n")
	}
	return b.String()
}
