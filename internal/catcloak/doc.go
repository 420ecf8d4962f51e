// Package catcloak turns the settings of Catcloak, a plugin of the Cat's that lets in the people
// of Keycloak, into a configuration of Catflap's.
//
// The rule it guards: nobody may do more behind Catflap than they could behind the plugin,
// but for what a note says; people keep their user ids, and with them their memories; and
// what can't be carried over is told, never dropped in silence. A secret is never in what
// is written.
package catcloak
