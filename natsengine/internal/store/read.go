package store

import (
	"context"
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

// ErrNone: the stream has no such message.
var ErrNone = errors.New("no such message")

// readTimeout is how long a read may take.
const readTimeout = 5 * time.Second

// A getRequest is what a direct get asks for: any replica answers it.
type getRequest struct {
	Seq      uint64   `json:"seq,omitempty"`
	NextFor  string   `json:"next_by_subj,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	MaxBytes int      `json:"max_bytes,omitempty"`
	Multi    []string `json:"multi_last,omitempty"`
}

// Last returns the newest record of a channel, as some replica has it.
func (s *Store) Last(ctx context.Context, r Route) (*record.Record, error) {
	return s.get(ctx, "$JS.API.DIRECT.GET."+r.Stream+"."+r.Subject, nil)
}

// A place is that of a record in all streams.
type place struct {
	stream string
	seq    uint64
}

// How many records are remembered at least, and how long their data may be: they
// take 32 MiB at most.
const (
	rememberedRecords = 1 << 13
	rememberedData    = 2 << 10
)

// At returns the record at seq, which others may have too. Clients that return at
// once have missed the same: what was read a while ago is remembered, even if it
// is not kept any more.
func (s *Store) At(ctx context.Context, r Route, seq uint64) (*record.Record, error) {
	at := place{r.Stream, seq}
	if rec, ok := s.seen.Get(at); ok {
		return rec, nil
	}
	request := append(strconv.AppendUint([]byte(`{"seq":`), seq, 10), '}')
	rec, err := s.get(ctx, "$JS.API.DIRECT.GET."+r.Stream, request)
	if errors.Is(err, ErrNone) {
		rec, err = s.sure(ctx, r, request) // a replica may not have it yet
	}
	if err == nil && len(rec.M.Data) <= rememberedData {
		s.seen.Put(at, rec)
	}
	return rec, err
}

func (s *Store) get(ctx context.Context, subject string, request []byte) (*record.Record, error) {
	m, err := s.ask(ctx, s.conns.reader(), subject, request)
	if err != nil {
		return nil, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
		return record.Read(m)
	case "404":
		return nil, ErrNone
	default:
		return nil, s.readError(fmt.Errorf("%s %s", status, m.Header.Get("Description")))
	}
}

// ask sends a request, again where nobody was there to take it: a stream
// without a leader, a connection that comes back.
func (s *Store) ask(ctx context.Context, nc *nats.Conn, subject string, request []byte) (*nats.Msg, error) {
	ctx, cancel := s.Bound(ctx, readTimeout)
	defer cancel()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		s.reads.Add(1)
		m, err := nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Data: request})
		if err == nil {
			return m, nil
		}
		if s.life.Err() != nil || !absent(err) {
			return nil, s.readError(err)
		}
		select {
		case <-ctx.Done():
			return nil, s.readError(err)
		case <-time.After(wait):
		}
	}
}

// absent reports whether err says that a request reached nobody.
func absent(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrReconnectBufExceeded) ||
		errors.Is(err, nats.ErrConnectionReconnecting) || errors.Is(err, nats.ErrDisconnected)
}

// Sure returns the newest record of a channel, as the leader has it.
func (s *Store) Sure(ctx context.Context, r Route) (*record.Record, error) {
	request, err := json.Marshal(map[string]string{"last_by_subj": r.Subject})
	if err != nil {
		return nil, err
	}
	return s.sure(ctx, r, request)
}

// sure asks the leader.
func (s *Store) sure(ctx context.Context, r Route, request []byte) (*record.Record, error) {
	m, err := s.ask(ctx, s.conns.api, "$JS.API.STREAM.MSG.GET."+r.Stream, request)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error *struct {
			Code        int    `json:"code"`
			Description string `json:"description"`
		} `json:"error"`
		Message struct {
			Seq  uint64    `json:"seq"`
			Hdrs string    `json:"hdrs"`
			Data []byte    `json:"data"`
			Time time.Time `json:"time"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, s.readError(err)
	}
	switch {
	case answer.Error != nil && answer.Error.Code == 404:
		return nil, ErrNone
	case answer.Error != nil:
		return nil, s.readError(errors.New(answer.Error.Description))
	}
	headers, err := base64.StdEncoding.DecodeString(answer.Message.Hdrs)
	if err != nil {
		return nil, record.ErrForeign
	}
	stored := &nats.Msg{Data: answer.Message.Data}
	if stored.Header, err = nats.DecodeHeadersMsg(headers); err != nil {
		return nil, record.ErrForeign
	}
	stored.Header.Set(nats.JSSequence, strconv.FormatUint(answer.Message.Seq, 10))
	stored.Header.Set(nats.JSTimeStamp, answer.Message.Time.Format(time.RFC3339Nano))
	return record.Read(stored)
}

// pageBytes bounds one answer of many messages.
const pageBytes = 8 << 20

// From returns up to n records of a channel, from the one at seq on. It may
// return fewer: then there are more if the last of them is not the newest.
func (s *Store) From(ctx context.Context, r Route, seq uint64, n int) ([]*record.Record, error) {
	var out []*record.Record
	err := s.many(ctx, r.Stream, getRequest{Seq: seq, NextFor: r.Subject, Batch: min(n, 256), MaxBytes: pageBytes}, func(m *nats.Msg) error {
		rec, err := record.Read(m)
		if err == nil {
			out = append(out, rec)
		}
		return nil // what is not ours is a hole, and seen as one
	})
	return out, err
}

// Newest calls found with the newest record of each of the subjects, at most
// 1,024, that has one. It may leave some out: messages can be long.
func (s *Store) Newest(ctx context.Context, stream string, subjects []string, found func(subject string, r *record.Record)) error {
	return s.many(ctx, stream, getRequest{Multi: subjects, MaxBytes: pageBytes}, func(m *nats.Msg) error {
		if r, err := record.Read(m); err == nil {
			found(m.Header.Get(nats.JSSubject), r)
		}
		return nil
	})
}

// many sends a request that has many answers.
func (s *Store) many(ctx context.Context, stream string, request getRequest, each func(*nats.Msg) error) error {
	ctx, cancel := s.Bound(ctx, readTimeout)
	defer cancel()
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	s.reads.Add(1)
	nc := s.conns.reader()
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return s.readError(err)
	}
	defer sub.Unsubscribe() // its error says that the connection is gone
	if err := nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, text); err != nil {
		return s.readError(err)
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return s.readError(err)
		}
		switch status := m.Header.Get("Status"); status {
		case "":
			if err := each(m); err != nil {
				return err
			}
		case "204", "404":
			return nil
		default:
			return s.readError(fmt.Errorf("%s %s", status, m.Header.Get("Description")))
		}
	}
}

// readError is what a caller is told of a read that failed.
func (s *Store) readError(err error) error {
	if s.life.Err() != nil {
		return surewire.ErrClosed
	}
	return fmt.Errorf("%w: a read failed: %w", surewire.ErrUnavailable, err)
}
