package cattest

import "testing"

// TestAtOnceIsAskedLast: a Cat with the built-in vector store can be broken behind it.
func TestAtOnceIsAskedLast(t *testing.T) {
	l := newSuite(t, Target{URL: "http://cat.example"}).questions()
	for i, q := range l {
		if (q.name == "AtOnce") != (i == len(l)-1) {
			t.Errorf("question %d of %d is %s", i+1, len(l), q.name)
		}
	}
}
