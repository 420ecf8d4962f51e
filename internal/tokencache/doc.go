// Package tokencache remembers what verifying a token has yielded.
//
// The rule it guards: a remembered answer is the answer to exactly this token, and
// no longer than it would be given again. Entries are found by a keyed hash of the
// whole token, all 32 bytes of it, so two tokens never share one (nor do the calls
// that wait for one verification, as in CVE-2026-71326); the token itself is not
// kept. An entry that has reached its end, or whose key the issuer has withdrawn,
// is not there. Refusals are remembered shortly, few of them, and only while the
// keys stay the same. A fault is never remembered.
//
// A cache belongs to one handler with one configuration: it is never shared
// between two issuers or two policies (CVE-2026-33496).
//
// It starts no goroutine. Its locks are its lists' and the flights' own, and none is held
// while another is taken or a token is verified. [Cache.Do] blocks the caller.
package tokencache
