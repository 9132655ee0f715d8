package hub

// Counts is how much a hub has to do with.
type Counts struct {
	Connections, Users      int   // open, admitted or not yet, and whose; all that are anonymous are one user
	Channels, Subscriptions int   // that somebody reads here, and by how many
	TailBytes               int64 // memory of all tails together

	// What was refused, since the hub began.
	RefusedCommands uint64 // for coming too fast
	RefusedUsers    uint64 // connections of users who had too many
}

// Counts returns how much the hub has to do with now.
func (h *Hub) Counts() Counts {
	c := Counts{
		Connections: h.roster.Len(), Users: h.roster.Users(), TailBytes: h.channels.Size(),
		RefusedCommands: h.pace.Refused(), RefusedUsers: h.refusedUsers.Load(),
	}
	for _, n := range h.channels.Readers() {
		c.Channels++
		c.Subscriptions += n
	}
	return c
}
