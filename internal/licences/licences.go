package licences

import _ "embed" // the texts

//go:generate go run ./generate

//go:embed third_party.txt
var thirdParty string

// ThirdParty is the licence text of each module in the binary, and Go's own.
func ThirdParty() string { return thirdParty }
