// Package namespace is what groups of channels allow. The namespace of a channel
// is what stands before its first ":"; "run:42" is of namespace "run", and "news"
// of the one without a name.
package namespace

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/limit"
)

// A Who says who may do something in a namespace. The zero Who is nobody.
type Who uint8

// Who may do something.
const (
	Nobody     Who = iota
	Token          // who has a token that names the channel; only to subscribe
	Subscriber     // who reads the channel
	User           // everybody with a name
	Anyone         // everybody who was let in, without a name too
)

var whos = [...]string{"nobody", "token", "subscriber", "user", "anyone"}

// String returns the word for w in a configuration.
func (w Who) String() string {
	if int(w) < len(whos) {
		return whos[w]
	}
	return fmt.Sprintf("Who(%d)", uint8(w))
}

// MarshalText implements [encoding.TextMarshaler].
func (w Who) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (w *Who) UnmarshalText(text []byte) error {
	i := slices.Index(whos[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q: want one of %s", text, strings.Join(whos[:], ", "))
	}
	*w = Who(i)
	return nil
}

// Options are what a namespace allows. The zero Options allow nothing to clients:
// only the server may begin subscriptions, and publish.
type Options struct {
	Subscribe Who  `yaml:"subscribe"` // who may read; what it missed comes with it
	Publish   Who  `yaml:"publish"`   // who may publish; the HTTP API always may
	Presence  Who  `yaml:"presence"`  // who may ask who reads a channel; nobody: nothing is kept of it
	History   Who  `yaml:"history"`   // who may ask for what is kept, besides recovering what it missed
	Joins     bool `yaml:"joins"`     // a channel's readers are told who comes and goes

	Ephemeral      bool          `yaml:"ephemeral"`       // publications are for those who listen now, and not kept
	HistorySize    int           `yaml:"history_size"`    // publications kept per channel; 0 means the server's default
	HistoryTTL     time.Duration `yaml:"history_ttl"`     // how long; 0 means the server's default
	PublishRate    limit.Rate    `yaml:"publish_rate"`    // of what one client publishes, as "5/s burst 20"; 0 does not limit
	MaxReaders     int           `yaml:"max_readers"`     // subscriptions of one channel at one server; 0 does not limit
	SubscribeHook  string        `yaml:"subscribe_hook"`  // URL of a backend that is asked who may subscribe, in place of the above; who shows a token that names the channel may anyway
	PublishHook    string        `yaml:"publish_hook"`    // URL of a backend that is asked about what clients publish
	RPCHook        string        `yaml:"rpc_hook"`        // URL of a backend that answers the calls whose method starts with the namespace's name and a colon, in place of --hook-rpc
	MaxPublication int           `yaml:"max_publication"` // longest publication, in bytes of JSON; 0 means the server's limit
	Schema         string        `yaml:"schema"`          // file of a JSON Schema that publications must keep; empty for none
}

// Set is all namespaces of a server, by name; "" is that of channels without one.
// It is not modified once it is in use.
type Set map[string]Options

// Check returns what is wrong with the names and options, nil for nothing.
func (s Set) Check() error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		o := s[name]
		switch {
		case strings.ContainsAny(name, ":#"):
			return fmt.Errorf(`namespace %q: the name has no ":" or "#"`, name)
		case name != "" && surewire.CheckChannel(name) != nil:
			return fmt.Errorf("namespace %q: %w", name, surewire.CheckChannel(name))
		case o.Subscribe == Subscriber:
			return fmt.Errorf("namespace %q: subscribe cannot be %q: who does not read a channel could never begin", name, o.Subscribe)
		case o.Publish == Token || o.Presence == Token || o.History == Token:
			return fmt.Errorf("namespace %q: publish, presence and history cannot be %q: a token is shown to subscribe; use %q", name, Token, Subscriber)
		case o.HistorySize < 0 || o.HistoryTTL < 0 || o.MaxPublication < 0 || o.MaxReaders < 0:
			return fmt.Errorf("namespace %q: history_size, history_ttl, max_publication and max_readers are not less than 0", name)
		}
	}
	return nil
}

// Of returns the options of channel's namespace. It reports false if there is no
// such namespace: then nobody may do anything with the channel.
func (s Set) Of(channel string) (Options, bool) {
	o, ok := s[Name(channel)]
	return o, ok
}

// Retention returns what an engine is to keep of channel.
func (s Set) Retention(channel string) surewire.Retention {
	o := s[Name(channel)]
	return surewire.Retention{Size: o.HistorySize, TTL: o.HistoryTTL}
}

// Name returns the name of channel's namespace.
func Name(channel string) string {
	name, _, ok := strings.Cut(channel, ":")
	if !ok || strings.Contains(name, "#") {
		return ""
	}
	return name
}

// A Person is who wants something, as far as namespaces ask.
type Person struct {
	User       string // empty if anonymous
	Named      bool   // a token of the person's names the channel
	Subscribed bool   // the person reads the channel
}

// Admits reports whether w lets p do something in channel. A channel that lists
// its users admits nobody else, whatever w is, and for those it lists it counts
// as a token that names it.
func (w Who) Admits(p Person, channel string) bool {
	if _, ok := surewire.ChannelUsers(channel); ok {
		if !surewire.MayRead(p.User, channel) {
			return false
		}
		p.Named = true
	}
	switch w {
	case Token:
		return p.Named
	case Subscriber:
		return p.Subscribed
	case User:
		return p.User != ""
	case Anyone:
		return true
	}
	return false
}
