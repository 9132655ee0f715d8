package memengine

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/surewire/surewire"
)

// A shard holds some of the channels, so that publishers of different channels
// seldom wait for each other. One lock guards its map and all its logs: what is
// done under it is short.
type shard struct {
	// Static after construction.
	life  string    // random: of the engine
	start time.Time // of the engine

	// mu guards the following, and what the logs say it guards.
	mu     sync.Mutex
	logs   map[string]*log
	epoch  string // of a log that begins now
	lives  int    // how often logs that had messages were forgotten
	closed bool

	_ [40]byte // to 128 bytes: two shards share no cache line, nor a pair of lines
}

// errNoLog says that the channel has no log yet.
var errNoLog = errors.New("no log")

// since is t as the logs keep it: in 8 bytes, and immune to a clock that is set.
func (s *shard) since(t time.Time) time.Duration { return t.Sub(s.start) }

// log returns the log of channel, or errNoLog. The caller holds mu.
func (s *shard) log(channel string) (*log, error) {
	if s.closed {
		return nil, surewire.ErrClosed
	}
	if l := s.logs[channel]; l != nil {
		return l, nil
	}
	// What has a log has been checked: this is off the common path.
	if err := surewire.CheckChannel(channel); err != nil {
		return nil, err
	}
	return nil, errNoLog
}

// begin starts a log for channel, unless there is one.
func (s *shard) begin(channel string, size int, ttl time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.logs[channel] == nil {
		s.logs[channel] = &log{shard: s, channel: channel, epoch: s.epoch, size: size, ttl: ttl}
	}
}

// append places m at the end of channel. The caller calls deliver on the log
// that is returned, if one is.
func (s *shard) append(channel string, m *surewire.Message) (surewire.Published, *log, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.log(channel)
	if err == errNoLog && m.Ephemeral && m.ID == "" {
		return surewire.Published{Position: surewire.Position{Epoch: s.epoch}}, nil, nil // nobody listens
	}
	if err != nil {
		return surewire.Published{}, nil, err
	}
	done, turn, err := l.append(m)
	if !turn {
		l = nil
	}
	return done, l, err
}

func (s *shard) subscribe(channel string, sink surewire.Sink) (head surewire.Position, cancel func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.log(channel)
	if err != nil {
		return surewire.Position{}, nil, err
	}
	head, one := l.subscribe(sink)
	return head, func() { s.unsubscribe(l, one) }, nil
}

func (s *shard) unsubscribe(l *log, one *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.unsubscribe(one, s.since(time.Now()))
	if s.logs[l.channel] == l && l.unused() {
		delete(s.logs, l.channel)
	}
}

func (s *shard) history(channel string, after surewire.Position, limit int) (surewire.History, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.log(channel)
	if err == errNoLog {
		known := after.Epoch == "" || after.Epoch == s.epoch
		return surewire.History{Head: surewire.Position{Epoch: s.epoch}, Complete: known && after.Offset == 0}, nil
	}
	if err != nil {
		return surewire.History{}, err
	}
	return l.history(after, limit, s.since(time.Now())), nil
}

func (s *shard) removeHistory(channel string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.log(channel)
	if err == errNoLog {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.since(time.Now())
	l.used = now
	l.drop(l.messages.n, now)
	l.messages.trim()
	return nil
}

// forget drops what has expired, and the logs that nobody used for as long as
// they keep messages. A log that begins once one with messages has been
// forgotten has another epoch: it may be the same channel. One that never had
// any is the same log when it begins again, so that nothing need be kept of it.
func (s *shard) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := false
	for channel, l := range s.logs {
		if l.sweep(s.since(now)) {
			delete(s.logs, channel)
			had = had || l.head > 0
		}
	}
	if had {
		s.lives++
		s.epoch = s.life + strconv.Itoa(s.lives)
	}
}

// close ends every subscription, and forgets all.
func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logs {
		l.close()
	}
	s.logs, s.closed = nil, true
}
