package store

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// conns are the connections of a store. The server answers reads within the
// read loop of their connection, and what is delivered shares its buffers: each
// kind of traffic has its own, so that none waits for another.
type conns struct {
	publish *nats.Conn
	live    *nats.Conn // what is delivered
	read    [2]*nats.Conn
	api     *nats.Conn // streams, and what is seldom

	turn atomic.Uint32 // of read
}

func (c *conns) open(s *Store) error {
	for name, conn := range map[string]**nats.Conn{
		"publish": &c.publish, "live": &c.live, "read-1": &c.read[0], "read-2": &c.read[1], "api": &c.api,
	} {
		nc, err := s.dial(name)
		if err != nil {
			return fmt.Errorf("NATS cannot be reached: %w", err)
		}
		*conn = nc
	}
	return nil
}

func (c *conns) all() []*nats.Conn {
	return []*nats.Conn{c.publish, c.live, c.read[0], c.read[1], c.api}
}

func (c *conns) close() {
	for _, nc := range c.all() {
		if nc != nil {
			nc.Close()
		}
	}
}

// reader returns a connection for a read.
func (c *conns) reader() *nats.Conn { return c.read[c.turn.Add(1)%2] }

// dial makes a connection that comes back for ever. What is published while it
// is away fails at once: an attempt that waits would outlive who waits for it.
func (s *Store) dial(name string) (*nats.Conn, error) {
	o := nats.GetDefaultOptions()
	o.Name = s.config.Prefix + " " + name
	o.MaxReconnect, o.ReconnectWait, o.ReconnectBufSize = -1, 250*time.Millisecond, -1
	o.ReconnectJitter, o.ReconnectJitterTLS = 100*time.Millisecond, 250*time.Millisecond
	o.PingInterval, o.MaxPingsOut = 10*time.Second, 2
	o.AsyncErrorCB = s.asyncError
	o.ReconnectedCB = func(*nats.Conn) {
		s.reconnects.Add(1)
		s.config.Wake()
		if name == "api" {
			go s.remake() // ends after Config.Timeout, or with the store's life
		}
	}
	o.DisconnectedErrCB = func(_ *nats.Conn, err error) {
		if s.life.Err() == nil {
			s.config.Logger.Warn("NATS is away", "connection", name, "error", err)
		}
	}
	switch {
	case s.config.InProcess != nil:
		o.InProcessServer = s.config.InProcess
		o.Timeout = 10 * time.Second // it is there: it can only be busy
	case len(s.config.URLs) > 0:
		o.Servers = strings.Split(strings.Join(s.config.URLs, ","), ",")
	default:
		return nil, errors.New("no URL is given")
	}
	if s.config.TLS != nil {
		o.TLSConfig, o.Secure = s.config.TLS, true
	}
	if s.config.Credentials != "" {
		if err := nats.UserCredentials(s.config.Credentials)(&o); err != nil {
			return nil, err
		}
	}
	return o.Connect()
}

// asyncError hears of what no call returns: what was dropped because it came
// faster than it was taken.
func (s *Store) asyncError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		s.slow.Add(1)
		s.config.Wake()
		return
	}
	subject := ""
	if sub != nil {
		subject = sub.Subject
	}
	s.config.Logger.Error("NATS reports an error", "subject", subject, "error", err)
}

// watchLeaders counts elections of the leaders of streams.
func (s *Store) watchLeaders() error {
	prefix := "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED."
	_, err := s.conns.api.Subscribe(prefix+"*", func(m *nats.Msg) {
		if strings.HasPrefix(m.Subject, prefix+s.config.Prefix+"_") {
			s.leaders.Add(1)
			s.config.Wake()
		}
	})
	return err
}
