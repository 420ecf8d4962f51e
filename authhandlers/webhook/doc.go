// Package webhook asks a service of one's own who a request is from: it shows the service
// chosen headers and cookies, and takes its answer for the person's name.
//
// The rule it guards: the service sees what was chosen, and nothing else of the request. It
// vouches for a person by status 200 and a JSON object, and refuses by 401 or 403. Whatever
// else it says is a fault, and neither access nor a refusal. An answer counts for exactly
// the values that were shown, and for a short time.
//
// A request without any of the chosen values has no credential of this handler. A bearer
// token decides over them, unless it is itself what is chosen. Browsers send cookies by
// themselves, and a proxy in front adds its headers to whatever a browser sends: so what
// other sites' pages send is refused.
package webhook
