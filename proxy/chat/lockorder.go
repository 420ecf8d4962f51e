package chat

// The locks that are of no type alone, by what their holder does.
type (
	catSending     struct{} // one message goes up over a catSocket
	ownerSending   struct{} // one message goes up over an ownerUpstream
	tunnelSpeaking struct{} // one message goes to a tunnel's client
)

// LockOrder is the order of the package's locks, for tests: a goroutine takes none while it
// holds one that stands further down. The dialLock of a place comes before all.
func LockOrder() []string {
	return []string{
		"ownerSending", "catSending", "Hub", "room", "ownerUpstream", "remoteSubscriber", "remoteUpstream", "router", "catSocket", "tunnelSpeaking", "tunnel", "place",
		"localSubscriber", "gates", "gate", "catPace",
	}
}
