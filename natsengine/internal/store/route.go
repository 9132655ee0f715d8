package store

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/surewire/surewire"
)

// A Profile is a group of channels that are kept alike, in streams of their own.
// Its Size and TTL are set.
type Profile struct {
	Name string
	surewire.Retention
	Bytes int64 // of all its channels together; 0 means no limit
}

// partitions is how many streams a profile has. In a cluster each has a leader
// of its own, so that the end of a node halts a part of the channels. It is part
// of where a channel is found: it never changes.
const partitions = 8

// A Route is where a channel is kept.
type Route struct {
	Profile Profile
	Stream  string
	Subject string // of the stream
	Live    string // where the stream repeats what it has stored
}

// streamName returns the name of the part-th stream of a profile.
func (s *Store) streamName(profile string, part int) string {
	return fmt.Sprintf("%s_%s_%d", s.config.Prefix, token(profile), part)
}

// subjects returns those of the part-th stream of a profile.
func (s *Store) subjects(profile string, part int) (stored, live string) {
	end := fmt.Sprintf(".%s.%d.", token(profile), part)
	return s.config.Prefix + ".ch" + end, s.config.Prefix + ".rt" + end
}

// Route returns where a channel of p is kept.
func (s *Store) Route(p Profile, channel string) Route {
	h := fnv.New32a()
	h.Write([]byte(channel))
	part := s.parts(p.Name)[h.Sum32()%partitions]
	name := token(channel)
	return Route{Profile: p, Stream: part.stream, Subject: part.stored + name, Live: part.live + name}
}

// A part is what the channels of one stream have in common: its name, and how
// their subjects begin.
type part struct{ stream, stored, live string }

// parts returns those of a profile: they are asked for with each publication.
func (s *Store) parts(profile string) *[partitions]part {
	if known, ok := s.named.Load(profile); ok {
		return known.(*[partitions]part)
	}
	out := new([partitions]part)
	for i := range out {
		stored, live := s.subjects(profile, i)
		out[i] = part{stream: s.streamName(profile, i), stored: stored, live: live}
	}
	s.named.Store(profile, out)
	return out
}

// token writes a name as one token of a subject, and of a stream's name: what
// NATS gives a meaning there, or a file system, is escaped, and "" is a "=". The
// server formats its log with names in it: none has a "%".
func token(name string) string {
	const special = "=%.*>/\\ \t"
	if name == "" {
		return "="
	}
	if !strings.ContainsAny(name, special) {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		if strings.IndexByte(special, name[i]) >= 0 {
			fmt.Fprintf(&b, "=%02X", name[i])
		} else {
			b.WriteByte(name[i])
		}
	}
	return b.String()
}
