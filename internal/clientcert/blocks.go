package clientcert

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
)

// errBrokenBlock is told of a file of which a part is no PEM.
var errBrokenBlock = errors.New("a block of it is broken, or the file is not whole")

// blocks are those of a file, which must all be of one kind. Package pem passes over a block
// that is broken: the others alone would be another file, with an authority or a revocation
// list less.
func blocks(text []byte, kind, what string) (all [][]byte, err error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != kind {
			return nil, fmt.Errorf("it holds a %s, which is no %s", block.Type, what)
		}
		all = append(all, block.Bytes)
	}
	if bytes.Count(text, []byte("-----BEGIN ")) != len(all) {
		return nil, errBrokenBlock
	}
	return all, nil
}
