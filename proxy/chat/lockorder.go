package chat

// The locks that are of no type alone, by what their holder does.
type (
	catSending     struct{} // one message goes up over a catSocket
	ownerSending   struct{} // one message goes up over an ownerUpstream
	tunnelSpeaking struct{} // one message goes to a tunnel's client
)

// lockOrder is the order of the package's locks: a goroutine takes none while it holds one
// that stands further down. The dialLock of a place comes before all.
func lockOrder() []string {
	return []string{
		"ownerSending", "catSending", "Hub", "ownerUpstream", "room", "router", "remoteSubscriber", "remoteUpstream", "catSocket", "tunnelSpeaking", "tunnel", "place",
		"subscriber", "gates", "gate", "catPace",
	}
}
