// Package strictjson reads JSON that a stranger may have written.
//
// The rule it guards: one text has one meaning. It takes RFC 8259 within the
// limits of I-JSON (RFC 7493 §2): UTF-8 without a byte order mark, no lone
// surrogate, no member name twice at any depth, no data behind the value, bounded
// nesting. Names match octet by octet; encoding/json would fold their case, so
// that "SUB" could overwrite "sub" (RFC 8725 §2.4 is about such differences).
//
// Values are read lazily: parsing proves the whole text, and keeps of it only the
// slices of the outermost members. All of them share the memory of the text;
// a caller that keeps a string for long clones it.
package strictjson
