// Package cattest describes the Cat, version 1.9.2, as tests.
//
// The rule it guards: what Catflap believes of the Cat is written down once, in
// a form that can be put to a Cat. [Run] asks a running Cat about everything that
// the proxy relies on: who it lets in, who it takes them for, what it keeps apart
// and what it does not, how its sockets lose replies, how it redirects, refuses
// and fails. The stand-in of internal/demo/standin must pass it, and so must a
// real Cat, which is named by the environment:
//
//	CATFLAP_TEST_CAT_URL          such as http://127.0.0.1:1865
//	CATFLAP_TEST_CAT_API_KEY      empty if not set at the Cat
//	CATFLAP_TEST_CAT_API_KEY_WS   empty if not set at the Cat
//	CATFLAP_TEST_CAT_JWT_SECRET   empty: nothing about tokens is asked
//	CATFLAP_TEST_CAT_MAY_WIPE     1: its memory may be wiped
//
// The Cat that is asked gets accounts, memories and conversations of tests; those
// whose names matter are made for the run. Point it at a Cat of no value, and at a
// fresh one each time: the last question is four people who speak at once, and a Cat
// with the built-in vector store can be broken by it until it is started again. A Cat
// with a Qdrant server (CCAT_QDRANT_HOST) bears it.
//
// What needs an answer without a model (an echo) or an endpoint of a plugin asks
// for it with [Target.Echoes], [Target.Plugin] and [Target.Rights] and is skipped
// otherwise. The folder plugin is one for a real Cat that has the last.
package cattest
