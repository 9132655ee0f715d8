package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/natsengine/internal/record"
)

// What an attempt to store can come to, besides success.
var (
	ErrConflict = errors.New("the channel has a newer message")
	ErrAbsent   = errors.New("nobody took the message")  // nothing was stored; again
	ErrDoubt    = errors.New("the outcome is not known") // perhaps it was stored; again
	ErrNoStream = errors.New("the stream is not there")  // nothing was stored; made anew, and again
)

// How long an answer is waited for: at first, and at most. An attempt that meets
// a leader on its way out is never answered, and repeating one that was slow is safe.
const (
	FirstPatience = 400 * time.Millisecond
	LongPatience  = 3 * time.Second
)

// A Key stands for an ID in its channel.
type Key [15]byte

// KeyOf returns the key of an ID.
func KeyOf(channel, id string) (k Key) {
	sum := sha256.Sum256([]byte(channel + "\x00" + id))
	copy(k[:], sum[:])
	return k
}

// Put tries once, with patience, to store p as rec, if the newest message of the
// subject is the one at rec.Prev. duplicate says that seq is that of the first with
// p's ID.
func (s *Store) Put(ctx context.Context, channel string, r Route, rec *record.Record, p surewire.Publication, patience time.Duration) (seq uint64, duplicate bool, err error) {
	return await(ctx, func(told Told) error { return s.PutAsync(channel, r, rec, p, patience, told) })
}

// Told takes what came of an attempt to store. It must not block.
type Told func(seq uint64, duplicate bool, err error)

// PutAsync is Put that does not wait. told is called once, unless PutAsync fails.
func (s *Store) PutAsync(channel string, r Route, rec *record.Record, p surewire.Publication, patience time.Duration, told Told) error {
	m, err := rec.Write(r.Subject, p)
	if err != nil {
		return err
	}
	m.Header[nats.ExpectedLastSubjSeqHdr] = []string{strconv.FormatUint(rec.Prev, 10)}
	if p.ID != "" {
		k := KeyOf(channel, p.ID)
		m.Header[nats.MsgIdHdr] = []string{base64.RawURLEncoding.EncodeToString(k[:])}
	}
	return s.send(m, patience, told)
}

// PutMark stores a mark if the newest message of the subject is the one at
// prev. What came before goes.
func (s *Store) PutMark(ctx context.Context, r Route, mark record.Record, prev uint64) (seq uint64, err error) {
	m, err := mark.Write(r.Subject, surewire.Publication{})
	if err != nil {
		return 0, err
	}
	m.Header[nats.ExpectedLastSubjSeqHdr] = []string{strconv.FormatUint(prev, 10)}
	m.Header[nats.MsgRollup] = []string{nats.MsgRollupSubject}
	seq, _, err = await(ctx, func(told Told) error { return s.send(m, LongPatience, told) })
	if errors.Is(err, ErrDoubt) || errors.Is(err, ErrAbsent) {
		err = fmt.Errorf("%w: %w", surewire.ErrUnavailable, err)
	}
	return seq, err
}

// await waits for what send has told, or for ctx.
func await(ctx context.Context, send func(Told) error) (seq uint64, duplicate bool, err error) {
	type outcome struct {
		seq       uint64
		duplicate bool
		err       error
	}
	done := make(chan outcome, 1)
	if err := send(func(seq uint64, duplicate bool, err error) { done <- outcome{seq, duplicate, err} }); err != nil {
		return 0, false, err
	}
	select {
	case o := <-done:
		return o.seq, o.duplicate, o.err
	case <-ctx.Done():
		return 0, false, ErrDoubt
	}
}

// send hands m to its stream.
func (s *Store) send(m *nats.Msg, patience time.Duration, told Told) error {
	err := s.acks.send(m, patience, func(answer []byte, err error) {
		if err != nil {
			told(0, false, err)
			return
		}
		told(readAck(answer))
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: NATS takes %d bytes at most", surewire.ErrTooLarge, s.conns.publish.MaxPayload())
	case errors.Is(err, ErrAbsent), absent(err):
		return ErrAbsent
	}
	return ErrDoubt
}

// readAck returns what a stream answers.
func readAck(data []byte) (seq uint64, duplicate bool, err error) {
	var ack struct {
		Seq       uint64 `json:"seq"`
		Duplicate bool   `json:"duplicate"`
		Error     *struct {
			Code        int    `json:"code"`
			ErrCode     int    `json:"err_code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(data, &ack); err != nil {
		return 0, false, ErrDoubt
	}
	if ack.Error == nil {
		return ack.Seq, ack.Duplicate, nil
	}
	switch ack.Error.ErrCode {
	case 10071, 10164: // wrong last sequence
		return 0, false, ErrConflict
	case 10158: // another attempt with the ID is at work
		return 0, false, ErrAbsent
	case 10059: // stream not found
		return 0, false, ErrNoStream
	case 10054, 10097: // message, headers too long
		return 0, false, fmt.Errorf("%w: %s", surewire.ErrTooLarge, ack.Error.Description)
	}
	return 0, false, fmt.Errorf("%w: %s", surewire.ErrUnavailable, ack.Error.Description)
}
