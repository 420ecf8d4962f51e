// Package authtest proves that an authentication handler keeps the promises of
// authhandlers.AuthHandler, and holds what tests of handlers need.
//
// The rule it guards: a handler of anybody's is as strict as the built-in ones. It
// takes nobody without a credential of its own kind, never mixes two people, never
// shows a credential, and keeps its hands off the request. A handler's own test
// describes how to open it and how its requests look, and calls [Run]:
//
//	func TestConformance(t *testing.T) {
//		clock := authtest.NewClock()
//		authtest.Run(t, authtest.Suite{
//			Clock: clock,
//			Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler { ... },
//			Request: func(t *testing.T, n int) *authhandlers.Request {
//				return authtest.Bearer(tokenOf(n))
//			},
//			Person: func(n int) (issuer, subject string) { ... },
//		})
//	}
//
// Run it with the race detector, or half of it proves nothing.
package authtest
