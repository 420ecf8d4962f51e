// Package forwarded is the handler for people that a front proxy has signed in, and
// names in headers.
//
// The rule it guards: such a header is nobody's word but the proxy's. It counts from a
// listed address alone, by the connection itself and not by what a header says of it,
// and only with a shared secret or the proxy's own certificate beside it. Each header has
// one value or none. Whatever else comes from a listed address is refused, and does not
// turn into a guest; from elsewhere these headers are nothing.
package forwarded
