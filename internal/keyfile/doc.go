// Package keyfile is the file of Catflap's own API keys: what a key looks like, how the
// file is read, and how it is changed.
//
// The rule it guards: the file opens no door. It holds a SHA-256 of each key. A key is
// 256 random bits, so nobody can find it from its hash, however fast the hash is: slow
// hashes are for passwords, which people make up. The file is read strictly, and is
// replaced as a whole or not at all, by one writer at a time.
package keyfile
