package surewire

import (
	"context"
	"fmt"
	"time"
)

// A Position is a place in a channel's log, just after one message. The zero
// Position is before the first. Offsets are contiguous from 1 within an Epoch;
// an Epoch is one life of the log, and ends when the log is lost or rebuilt.
type Position struct {
	Epoch  string
	Offset uint64 // below 2^53, so that JavaScript can hold it
}

// A Publication is what an application hands to an [Engine].
type Publication struct {
	Data      []byte            // one JSON value; belongs to the engine, and is never modified
	ID        string            // a second publication with the same ID is not stored; may be empty
	Tags      map[string]string // travel beside Data; may be nil, never modified
	TTL       time.Duration     // how long history keeps it at most; 0 means as long as the channel allows
	Ephemeral bool              // for those who listen now: not stored, without an offset
	Kind      Kind              // joins and leaves are ephemeral and have no Data
	Info      *ClientInfo       // the client that published, joined or left; nil where a backend published; never modified
	Trace     *Trace            // for those who deliver it live, whether or not history keeps it; nil where nobody traces; never modified
}

// A Trace is where a publication belongs in a distributed trace. Clients do not
// see it.
type Trace struct {
	Parent string // the span that published, as W3C Trace Context has it in the header traceparent
}

// A Kind says what a [Publication] tells.
type Kind uint8

// What a publication can tell.
const (
	KindData  Kind = iota // a value of the application
	KindJoin              // a client has begun to read the channel
	KindLeave             // a client has ceased to read it
)

var kinds = [...]string{"data", "join", "leave"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText implements [encoding.TextMarshaler]: a kind travels by name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// ClientInfo is what the readers of a channel may know of a client.
type ClientInfo struct {
	Client string // ID of the connection
	User   string // empty if anonymous
	Conn   []byte // one JSON value about the connection; may be nil; never modified
	Chan   []byte // one JSON value about its part in the channel; may be nil; never modified
}

// A Message is a publication that an [Engine] has placed in a channel. It is
// shared by all who read the channel and never modified.
type Message struct {
	Publication
	Position Position  // Offset is 0 if the publication is ephemeral
	Time     time.Time // when the engine took it
}

// Published tells where an [Engine] has put a publication.
type Published struct {
	Position  Position
	Duplicate bool // the ID was known: Position is that of the first, nothing new was stored
}

// History is a stretch of a channel's log.
type History struct {
	Messages []*Message // oldest first
	Head     Position   // of the newest message of the channel
	Complete bool       // false: some of what came after the position is no longer kept, or its epoch is over
}

// An Engine keeps each channel's messages in one order and shows that order to
// every process. Its methods may be called concurrently. After Close they
// return [ErrClosed]. Package enginetest holds the tests each engine must pass.
type Engine interface {
	// Publish stores p at the end of channel and returns once it is kept.
	// Ephemeral publications are only handed to those who are subscribed.
	Publish(ctx context.Context, channel string, p Publication) (Published, error)

	// Subscribe delivers to s everything published after the returned head,
	// in offset order, without gaps or doubles, until cancel is called.
	// Delivery may begin before Subscribe returns; a delivery that had begun
	// may end after cancel has returned.
	Subscribe(ctx context.Context, channel string, s Sink) (head Position, cancel func(), err error)

	// History returns what is kept after a position, oldest first, and at most
	// limit messages; with a limit of 0, only Head and Complete. An empty
	// Epoch stands for the present one. If the stretch is not Complete it
	// begins with the oldest message that is kept.
	History(ctx context.Context, channel string, after Position, limit int) (History, error)

	// Close ends every subscription and releases the engine.
	Close(ctx context.Context) error
}

// An AsyncPublisher is an [Engine] that takes a publication without having the
// caller wait until it is kept.
type AsyncPublisher interface {
	// PublishAsync is [Engine.Publish] that returns as soon as p has its place in
	// channel: what one goroutine publishes there keeps its order. done is called
	// once, with what Publish would return, perhaps before PublishAsync returns,
	// and must not block. Where PublishAsync fails, done is not called: with
	// [ErrBusy] if too many are on their way.
	PublishAsync(ctx context.Context, channel string, p Publication, done func(Published, error)) error
}

// A HealthChecker is an [Engine] that can tell whether it works now.
type HealthChecker interface {
	// Healthy returns nil if a publication would be taken now, else why not.
	Healthy(ctx context.Context) error
}

// A HistoryRemover is an [Engine] that can forget what it keeps of a channel.
type HistoryRemover interface {
	// RemoveHistory forgets the messages of channel. The log goes on: its
	// epoch and its head stay, and who stood before the head is told that
	// history is not complete.
	RemoveHistory(ctx context.Context, channel string) error
}

// A Bus is an [Engine] by which the processes that use it reach each other.
type Bus interface {
	// Broadcast sends b, at most once, to all who listen, this process too. It
	// returns once b is on its way. b is not kept.
	Broadcast(ctx context.Context, b []byte) error

	// Listen calls f with what is broadcast from now on, one at a time and in the
	// order of each sender, until cancel is called. f owns what it gets.
	Listen(ctx context.Context, f func(b []byte)) (cancel func(), err error)
}

// A PresenceKeeper is an [Engine] by which the processes that use it tell each
// other who reads a channel. Nothing is stored: each knows its own clients, and
// those of one that dies are gone with it.
type PresenceKeeper interface {
	// KeepPresence has here asked, for other processes, who reads a channel in
	// this one, by connection ID, until cancel is called. here must not wait.
	KeepPresence(ctx context.Context, here func(channel string) map[string]ClientInfo) (cancel func(), err error)

	// Presence returns who reads channel in the other processes, by connection
	// ID, as far as they answer soon.
	Presence(ctx context.Context, channel string) (map[string]ClientInfo, error)
}

// Retention bounds what an [Engine] keeps of a channel.
type Retention struct {
	Size int           // messages; 0 means the engine's default
	TTL  time.Duration // how long; 0 means the engine's default
}

// A Sink receives what an [Engine] delivers for one subscription, one call at a
// time. Its methods must not block, and must not call the engine.
type Sink interface {
	// Deliver takes the next message of channel. m is shared: read only.
	Deliver(channel string, m *Message)

	// Lost says that continuity is gone and could not be healed: what is
	// delivered from here on does not follow what was delivered before.
	Lost(channel string)
}
