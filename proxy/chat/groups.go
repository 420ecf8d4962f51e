package chat

// groups counts the clients of people who come by one credential: a server that acts for
// others can name any number of them. The hub is locked.
type groups struct {
	of    map[*client]string
	count map[string]int
}

// full reports that a group has half of all clients. No group is never full.
func (g *groups) full(group string, all int) bool {
	return group != "" && all > 0 && g.count[group] >= max(1, all/2)
}

func (g *groups) add(s *client, group string) {
	if group == "" {
		return
	}
	if g.of == nil {
		g.of, g.count = map[*client]string{}, map[string]int{}
	}
	g.of[s] = group
	g.count[group]++
}

func (g *groups) remove(s *client) {
	group, ok := g.of[s]
	if !ok {
		return
	}
	delete(g.of, s)
	if g.count[group]--; g.count[group] == 0 {
		delete(g.count, group)
	}
}
