package hub

// Counts is how much a hub has to do with.
type Counts struct {
	Connections, Users      int   // open, admitted or not yet, and whose; all that are anonymous are one user
	Channels, Subscriptions int   // that somebody reads here, and by how many
	TailBytes               int64 // memory of all tails together
}

// Counts returns how much the hub has to do with now.
func (h *Hub) Counts() Counts {
	c := Counts{Connections: h.roster.Len(), Users: h.roster.Users(), TailBytes: h.channels.Size()}
	for _, n := range h.channels.Readers() {
		c.Channels++
		c.Subscriptions += n
	}
	return c
}
