// Package pace holds clients to the rate at which they may send commands.
package pace

import (
	"sync/atomic"

	"github.com/surewire/surewire/limit"
)

// Limits are those of all connections of a process.
type Limits struct {
	Conn, User limit.Rate // of one connection, and of all of a user's; the zero rate does not limit

	users   limit.Buckets
	refused atomic.Uint64
}

// Refused returns how many commands were refused.
func (l *Limits) Refused() uint64 { return l.refused.Load() }

// A Pacer is one connection's. It is its reader's.
type Pacer struct {
	bucket limit.Bucket
	excess int // commands refused in a row
}

// A Verdict is what becomes of a command.
type Verdict uint8

// Verdicts.
const (
	Go     Verdict = iota
	First          // it comes too fast, the first of several
	Wait           // it comes too fast
	Hangup         // too many have come too fast
)

// maxExcess is how many commands in a row may come too fast. An SDK that waits
// after the error of the first never gets there.
const maxExcess = 256

// Take counts one command of a client of user, empty if it has no name.
func (p *Pacer) Take(l *Limits, user func() string) Verdict {
	if p.bucket.Take(l.Conn) && (l.User.PerSecond <= 0 || l.ofUser(user())) {
		p.excess = 0
		return Go
	}
	l.refused.Add(1)
	switch p.excess++; {
	case p.excess == 1:
		return First
	case p.excess > maxExcess:
		return Hangup
	}
	return Wait
}

func (l *Limits) ofUser(user string) bool { return user == "" || l.users.Take(user, l.User) }
