package attributes

// Remembered counts the bytes of the tokens that are kept.
func (s *Signer) Remembered() int {
	s.remembering.Lock()
	defer s.remembering.Unlock()
	n := 0
	for _, m := range s.made.Values() {
		n += len(m.token)
	}
	if n != s.bytes {
		return -1
	}
	return n
}
