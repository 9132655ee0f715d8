package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// TicketsConfig bounds what [Tickets] keep. The zero value means the defaults.
type TicketsConfig struct {
	Max        int              // tickets that wait to be redeemed; 0 means 10,000
	MaxTTL     time.Duration    // longest that one may; 0 means 1min
	MaxPayload int              // longest payload, in bytes; 0 means MaxToken
	Now        func() time.Time // nil means time.Now
}

// Tickets are exchanged for what they were issued for, once and soon. Somebody
// who authenticated by other means takes one to where only a URL can be sent,
// which may end up in logs: by then it is worth nothing. They last as long as
// the process, and are redeemed where they were issued. Their methods may be
// called concurrently.
type Tickets struct {
	config TicketsConfig // static after construction

	// mu guards the following.
	mu      sync.Mutex
	known   map[ticketHash]ticket // those that wait, and those in dead
	waiting int                   // of known
	dead    []ticketHash          // a ring of the last Max that were redeemed or expired: the log tells them from unknown ones
	oldest  int                   // in dead, once it is full
	sweep   sweep
}

// A ticketHash stands for a ticket: what is kept cannot be redeemed by who sees
// it, and how long looking it up takes says nothing of it.
type ticketHash = [sha256.Size]byte

type ticket struct {
	payload []byte
	expires time.Time
	state   ticketState
}

type ticketState uint8

const (
	ticketWaits ticketState = iota + 1
	ticketRedeemed
	ticketExpired
)

// ticketLength is that of rand.Text, which holds 130 random bits.
const ticketLength = 26

// NewTickets returns Tickets of which none is issued.
func NewTickets(c TicketsConfig) *Tickets {
	if c.Max <= 0 {
		c.Max = 10_000
	}
	if c.MaxTTL <= 0 {
		c.MaxTTL = time.Minute
	}
	if c.MaxPayload <= 0 {
		c.MaxPayload = MaxToken
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Tickets{config: c, known: make(map[ticketHash]ticket)}
}

// Issue returns a ticket, of letters and digits, for a copy of payload. It can
// be redeemed for ttl, or MaxTTL if that is shorter or ttl is not positive. The
// error wraps [ErrFull] if too many wait to be redeemed.
func (t *Tickets) Issue(payload []byte, ttl time.Duration) (string, error) {
	if len(payload) > t.config.MaxPayload {
		return "", fmt.Errorf("auth: the payload of the ticket has %d bytes, more than %d", len(payload), t.config.MaxPayload)
	}
	if ttl <= 0 || ttl > t.config.MaxTTL {
		ttl = t.config.MaxTTL
	}
	name, copied := rand.Text(), bytes.Clone(payload)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.config.Now()
	if t.sweep.due(now) {
		t.expire(now)
	}
	if t.waiting >= t.config.Max {
		return "", &failure{ErrFull, "this many tickets are the most that may wait"}
	}
	t.waiting++
	t.known[sha256.Sum256([]byte(name))] = ticket{copied, now.Add(ttl), ticketWaits}
	t.sweep.expect(now.Add(ttl))
	return name, nil
}

// Redeem returns the payload of a ticket, which is the caller's now, and ends
// the ticket. The error wraps [ErrTicket]; its text says for the log what is
// wrong, and is not for the client.
func (t *Tickets) Redeem(name string) ([]byte, error) {
	if len(name) != ticketLength {
		return nil, &failure{ErrTicket, "it is not one"}
	}
	hash := sha256.Sum256([]byte(name))
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.known[hash]
	if found.state == ticketWaits && !found.expires.After(t.config.Now()) {
		t.bury(hash, ticketExpired)
		found.state = ticketExpired
	}
	switch found.state {
	case ticketWaits:
		t.bury(hash, ticketRedeemed)
		return found.payload, nil
	case ticketRedeemed:
		return nil, &failure{ErrTicket, "it was redeemed before"}
	case ticketExpired:
		return nil, &failure{ErrTicket, "it has expired"}
	}
	return nil, &failure{ErrTicket, "it is unknown, or long gone"}
}

// bury ends a ticket that waits, and remembers it in the place of the one that
// has been dead for longest.
func (t *Tickets) bury(hash ticketHash, state ticketState) {
	t.waiting--
	t.known[hash] = ticket{state: state}
	if len(t.dead) < t.config.Max {
		t.dead = append(t.dead, hash)
		return
	}
	delete(t.known, t.dead[t.oldest])
	t.dead[t.oldest] = hash
	t.oldest = (t.oldest + 1) % len(t.dead)
}

func (t *Tickets) expire(now time.Time) {
	t.sweep.begin(now)
	for hash, x := range t.known {
		switch {
		case x.state != ticketWaits:
		case x.expires.After(now):
			t.sweep.expect(x.expires)
		default:
			t.bury(hash, ticketExpired)
		}
	}
}
