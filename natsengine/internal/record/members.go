package record

import (
	"encoding/json"
	"fmt"

	"github.com/surewire/surewire"
)

// Members returns who reads a channel as texts of about size bytes each, or of
// one member, for ReadMembers; at least one.
func Members(all map[string]surewire.ClientInfo, size int) (parts [][]byte) {
	part, n := []info{}, 0
	end := func() {
		text, _ := json.Marshal(part) // no value of these types fails
		parts = append(parts, text)
		part, n = part[:0], 0
	}
	for _, i := range all {
		length := 64 + len(i.Client) + len(i.User) + 4*(len(i.Conn)+len(i.Chan))/3
		if n+length > size && len(part) > 0 {
			end()
		}
		n += length
		part = append(part, info(i))
	}
	end()
	return parts
}

// ReadMembers returns the members that are in text. It fails with [ErrForeign].
func ReadMembers(text []byte) ([]surewire.ClientInfo, error) {
	var part []info
	if err := json.Unmarshal(text, &part); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	all := make([]surewire.ClientInfo, len(part))
	for i, m := range part {
		all[i] = surewire.ClientInfo(m)
	}
	return all, nil
}
