package standin

import (
	"math"
	"slices"
	"strings"
)

// embedder is the Cat's embedder when no model is set: a text is the set of its
// pairs of characters.
type embedder struct {
	index map[string]int
}

func newEmbedder() embedder {
	const printable = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" +
		"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c"
	chars := strings.ToLower(printable)
	pairs := map[string]int{}
	for i := range len(chars) {
		for j := i + 1; j < len(chars); j++ {
			pairs[string(chars[i])+string(chars[j])] = 0
		}
	}
	words := make([]string, 0, len(pairs))
	for p := range pairs {
		words = append(words, p)
	}
	slices.Sort(words)
	for i, w := range words {
		pairs[w] = i
	}
	return embedder{pairs}
}

// vector is the places of a vector that are not zero; all of them are the same.
type vector []int

func (m embedder) embed(text string) vector {
	var v vector
	var first rune
	half := false
	for _, r := range text {
		switch {
		case r == '\n':
			half = false
		case !half:
			first, half = r, true
		default:
			half = false
			if i, ok := m.index[string(first)+string(r)]; ok && !slices.Contains(v, i) {
				v = append(v, i)
			}
		}
	}
	return v
}

// dense is a vector as it is sent, with the given length of a place.
func (m embedder) dense(v vector, normal bool) []float64 {
	d := make([]float64, len(m.index))
	one := 1.0
	if normal && len(v) > 0 {
		one = 1 / math.Sqrt(float64(len(v)))
	}
	for _, i := range v {
		d[i] = one
	}
	return d
}

// cosine is how alike two texts are.
func cosine(a, b vector) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	common := 0
	for _, i := range a {
		if slices.Contains(b, i) {
			common++
		}
	}
	return float64(common) / math.Sqrt(float64(len(a))*float64(len(b)))
}
