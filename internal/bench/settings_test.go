package main

import (
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	s, err := readSettings([]string{"-rows", "1, 3c"})
	if err != nil {
		t.Fatal(err)
	}
	if !s.rows.wants("1") || !s.rows.wants("3c") || s.rows.wants("3") || s.rounds < 5 {
		t.Errorf("%+v", s)
	}
	if s, err = readSettings(nil); err != nil || !s.rows.wants("7b") {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = readSettings([]string{"-short"}); err != nil || s.rounds != 2 || s.each > time.Second {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range [][]string{{"-rows", "12"}, {"-rounds", "0"}, {"-for", "0s"}, {"word"}, {"-unknown"}} {
		if _, err := readSettings(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
