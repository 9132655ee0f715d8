package store

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// acks are the answers that are waited for on the publishing connection. Nobody
// needs a goroutine to wait, and many have the same subscription.
type acks struct {
	conn  *nats.Conn // static once begun
	inbox string     // static once begun: of each answer, before its number

	// mu guards the following.
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]*wait
	ended   bool
}

// A wait is for one answer.
type wait struct {
	told  func(answer []byte, err error)
	timer *time.Timer
}

// begin subscribes; once life is done, nobody waits any longer.
func (a *acks) begin(life context.Context, nc *nats.Conn) error {
	a.conn, a.inbox, a.waiting = nc, nc.NewInbox()+".", make(map[uint64]*wait)
	sub, err := nc.Subscribe(a.inbox+"*", a.answered)
	if err != nil {
		return err
	}
	context.AfterFunc(life, a.end)
	return sub.SetPendingLimits(-1, -1) // as many as wait, which is bounded
}

// send publishes m, which asks for an answer. told is called once, with it, or with
// [ErrDoubt] where there is none within patience, or [ErrAbsent]; by a goroutine
// that others wait for. Where send fails, told is not called.
func (a *acks) send(m *nats.Msg, patience time.Duration, told func(answer []byte, err error)) error {
	a.mu.Lock()
	if a.ended {
		a.mu.Unlock()
		return ErrAbsent
	}
	a.last++
	n := a.last
	a.waiting[n] = &wait{told, time.AfterFunc(patience, func() { a.settle(n, nil, ErrDoubt) })}
	a.mu.Unlock()
	m.Reply = a.inbox + strconv.FormatUint(n, 36)
	err := a.conn.PublishMsg(m)
	if err != nil && a.take(n) == nil {
		return nil // it has been told
	}
	return err
}

// take ends the wait number n, and returns nil if it has ended.
func (a *acks) take(n uint64) *wait {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.waiting[n]
	if w != nil {
		w.timer.Stop()
		delete(a.waiting, n)
	}
	return w
}

// settle ends the wait number n with what came of it.
func (a *acks) settle(n uint64, answer []byte, err error) {
	if w := a.take(n); w != nil {
		w.told(answer, err)
	}
}

// answered takes an answer from NATS: with a status where nobody took the message.
func (a *acks) answered(m *nats.Msg) {
	n, err := strconv.ParseUint(m.Subject[len(a.inbox):], 36, 64)
	if err != nil {
		return // not one that was asked for
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		a.settle(n, nil, ErrAbsent)
		return
	}
	a.settle(n, m.Data, nil)
}

// end ends all waits.
func (a *acks) end() {
	a.mu.Lock()
	left := a.waiting
	a.waiting, a.ended = make(map[uint64]*wait), true
	a.mu.Unlock()
	for _, w := range left {
		w.timer.Stop()
		w.told(nil, ErrDoubt)
	}
}
