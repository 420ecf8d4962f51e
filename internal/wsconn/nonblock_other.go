//go:build !unix

package wsconn

// pollable says that a connection can't be asked for what it has without waiting.
const pollable = false

func (r *reader) try(uintptr) bool { return true }

func (r *reader) shut() {}

func (w *writer) try(uintptr) bool { return true }
