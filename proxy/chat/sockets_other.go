//go:build !unix

package chat

// pollable says that a connection can't be asked for what it has without waiting.
const pollable = false

func (in *input) try(uintptr) bool { return true }

func (in *input) shut() {}

func (o *output) try(uintptr) bool { return true }
