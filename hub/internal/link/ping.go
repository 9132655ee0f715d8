package link

import (
	"errors"
	"time"

	"github.com/surewire/surewire"
)

// Ping asks the client for a sign of life.
func (l *Link) Ping() {
	l.mu.Lock()
	if l.state != Open {
		l.mu.Unlock()
		return
	}
	l.pinging++
	l.queue(l.config.Ping)
	start := l.claim()
	l.mu.Unlock()
	if start {
		l.write()
	}
}

var errNoPing = errors.New("a pong without a ping")

// Pong takes the sign, which must have been asked for.
func (l *Link) Pong() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pings == 0 {
		return errNoPing
	}
	// While a frame took its time a second ping may have gone.
	if l.pings--; l.pings == 0 {
		l.rtt = time.Since(l.pinged)
	}
	return nil
}

// CheckPong closes a client that gave no sign.
func (l *Link) CheckPong() {
	l.mu.Lock()
	overdue := !l.working && l.pings > 0 && time.Since(l.pinged) >= l.config.PongTimeout
	l.mu.Unlock()
	if overdue {
		l.Close(surewire.DisconnectNoPong)
	}
}
