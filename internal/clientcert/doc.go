// Package clientcert judges the certificates that clients show.
//
// The rule it guards: a certificate counts only while the files in force say so. An
// authority of the file vouches for it, for the authentication of clients and at this
// moment, and no list says that it is revoked. The handshake proves no more than that
// the client has the key, and may be hours old: so each request is judged. A file
// that can't be used leaves the last good one in place.
package clientcert
