package seal

// The form of a text that names its key: a version, the name, and what a Ring yields.
const (
	version  = 1
	nameSize = 8
	headSize = 1 + nameSize
)

// Named is a ring whose texts name their key: only that one is tried, and it can be told
// without opening whether it is in force.
type Named struct {
	ring  Ring
	names [][nameSize]byte
}

// NewNamed derives two keys of each secret: for the use, and for its name in the texts.
// Rings of several uses may share their names.
func NewNamed(secrets [][]byte, use, nameUse string) (*Named, error) {
	ring, err := NewRing(secrets, use)
	if err != nil {
		return nil, err
	}
	n := &Named{ring: ring}
	for _, secret := range secrets {
		name, err := Derive(secret, nameUse, nameSize)
		if err != nil {
			return nil, err
		}
		n.names = append(n.names, [nameSize]byte(name))
	}
	return n, nil
}

// Seal encrypts with the first key, for one place.
func (n *Named) Seal(place, plain []byte) []byte {
	return n.ring.append(append([]byte{version}, n.names[0][:]...), 0, place, plain)
}

// Open decrypts what was sealed for the place, with the key that the text names. False
// means that there is no such key, or that it does not open it there.
func (n *Named) Open(place, sealed []byte) ([]byte, bool) {
	if len(sealed) < headSize || sealed[0] != version {
		return nil, false
	}
	for i := range n.ring {
		if !n.named(i, sealed) {
			continue
		}
		if plain, ok := n.ring.open(i, place, sealed[headSize:]); ok {
			return plain, true
		}
	}
	return nil, false
}

// Knows reports whether a text names a key that is in force.
func (n *Named) Knows(sealed []byte) bool {
	for i := range n.ring {
		if len(sealed) >= headSize && n.named(i, sealed) {
			return true
		}
	}
	return false
}

func (n *Named) named(key int, sealed []byte) bool {
	return [nameSize]byte(sealed[1:headSize]) == n.names[key]
}
