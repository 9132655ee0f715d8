// Package record is how a message is written into a stream, and read back: the
// value is the payload, as it was published; the rest is in headers.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/surewire/surewire"
)

// Headers of a record.
const (
	placeHeader = "Surewire"      // see place
	metaHeader  = "Surewire-Meta" // JSON of meta; absent if there is nothing to say
)

// maxHeaders is how long the headers may be: NATS allows 64 KiB, with its own.
const maxHeaders = 60 << 10

// Stride is how far apart the messages are that are linked to each other beside
// the chain of all: a reader of long history goes by these.
const Stride = 64

// A Head is the newest record of a log, as far as the next one needs it.
type Head struct {
	Epoch  string
	Offset uint64
	Seq    uint64 // of the record in its stream; 0 if the log has none
	Jump   uint64 // Seq of the newest record whose offset is a multiple of Stride; 0 if it has none
}

// A Record is a message as it is stored.
type Record struct {
	Head                   // Jump is from before the record
	Prev  uint64           // Seq of the record before it; 0 if there was none
	Nonce string           // of the attempt to publish it
	Mark  bool             // there is no message: what came before was removed, or the log has only begun
	M     surewire.Message // Position.Epoch as it is stored
}

// Next returns the place of what comes after h.
func (h Head) Next() Record {
	return Record{Head: Head{Epoch: h.Epoch, Offset: h.Offset + 1, Jump: h.Jump}, Prev: h.Seq}
}

// AsHead returns the head of the log that r ends.
func (r *Record) AsHead() Head {
	h := r.Head
	switch {
	case r.Mark:
		h.Jump = 0
	case h.Offset%Stride == 0:
		h.Jump = h.Seq
	}
	return h
}

// meta is what a publication has besides its data.
type meta struct {
	ID    string            `json:"id,omitempty"`
	Kind  uint8             `json:"kind,omitempty"` // a surewire.Kind
	TTL   time.Duration     `json:"ttl,omitempty"`  // nanoseconds
	Tags  map[string]string `json:"tags,omitempty"`
	Info  *info             `json:"info,omitempty"`
	Trace string            `json:"trace,omitempty"`
}

// info is a [surewire.ClientInfo]; its bytes are written in Base64, for they may
// be anything.
type info struct {
	Client string `json:"client,omitempty"`
	User   string `json:"user,omitempty"`
	Conn   []byte `json:"conn,omitempty"`
	Chan   []byte `json:"chan,omitempty"`
}

// Write returns p as the NATS message of r, with headers to which the caller may
// add. It fails with [surewire.ErrTooLarge] if the headers are too long.
func (r *Record) Write(subject string, p surewire.Publication) (*nats.Msg, error) {
	return message(subject, r.place(), p)
}

// WriteLive returns p, which is ephemeral, as the NATS message of one who knows
// the log up to h.
func WriteLive(subject string, h Head, p surewire.Publication) (*nats.Msg, error) {
	return message(subject, "~ "+h.Epoch+" "+strconv.FormatUint(h.Offset, 10), p)
}

// message returns p with its place in the log. Its header has room for what the
// store is asked to look at.
func message(subject, place string, p surewire.Publication) (*nats.Msg, error) {
	m := &nats.Msg{Subject: subject, Data: p.Data, Header: make(nats.Header, 4)}
	m.Header[placeHeader] = []string{place}
	text, err := metaOf(p)
	if err != nil {
		return nil, err
	}
	if text != "" {
		m.Header[metaHeader] = []string{text}
	}
	return m, nil
}

// place writes where r is: epoch, offset, prev, jump, nonce, and "-" for a mark.
func (r *Record) place() string {
	b := make([]byte, 0, 96)
	b = append(b, r.Epoch...)
	for _, n := range [...]uint64{r.Offset, r.Prev, r.Jump} {
		b = strconv.AppendUint(append(b, ' '), n, 10)
	}
	b = append(append(b, ' '), r.Nonce...)
	if r.Mark {
		b = append(b, " -"...)
	}
	return string(b)
}

func metaOf(p surewire.Publication) (string, error) {
	if p.ID == "" && p.Kind == surewire.KindData && p.TTL == 0 && len(p.Tags) == 0 && p.Info == nil && p.Trace == nil {
		return "", nil
	}
	m := meta{ID: p.ID, Kind: uint8(p.Kind), TTL: p.TTL, Tags: p.Tags}
	if p.Trace != nil {
		m.Trace = p.Trace.Parent
	}
	if i := p.Info; i != nil {
		m.Info = &info{Client: i.Client, User: i.User, Conn: i.Conn, Chan: i.Chan}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("%w: %w", surewire.ErrInvalid, err) // no value of these types fails
	}
	if len(text) > maxHeaders {
		return "", fmt.Errorf("%w: %d bytes of ID, tags and client info are more than %d", surewire.ErrTooLarge, len(text), maxHeaders)
	}
	return string(text), nil
}

// ErrForeign: the message is not a record of this package.
var ErrForeign = errors.New("the message is not one of Surewire's")

// Read returns the record in m, as it was stored, republished, or got by a
// direct get. It keeps m's data.
func Read(m *nats.Msg) (*Record, error) {
	r := new(Record)
	fields := strings.Fields(first(m.Header, placeHeader))
	if len(fields) < 5 {
		return nil, ErrForeign
	}
	var err error
	number := func(s string) uint64 {
		n, e := strconv.ParseUint(s, 10, 64)
		err = errors.Join(err, e)
		return n
	}
	r.Epoch, r.Offset, r.Prev, r.Jump = fields[0], number(fields[1]), number(fields[2]), number(fields[3])
	r.Nonce, r.Mark = fields[4], len(fields) > 5
	r.Seq = number(first(m.Header, nats.JSSequence))
	at, e := time.Parse(time.RFC3339Nano, first(m.Header, nats.JSTimeStamp))
	if err := errors.Join(err, e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	r.M.Time, r.M.Data = at.Local(), m.Data
	r.M.Position = surewire.Position{Epoch: r.Epoch, Offset: r.Offset}
	return r, readMeta(&r.M.Publication, first(m.Header, metaHeader))
}

// ReadLive returns the ephemeral publication in m, and up to where its publisher
// knew the log. It reports false if m is not one.
func ReadLive(m *nats.Msg) (msg *surewire.Message, after surewire.Position, ok bool) {
	place, ok := strings.CutPrefix(first(m.Header, placeHeader), "~ ")
	if !ok {
		return nil, after, false
	}
	epoch, offset, _ := strings.Cut(place, " ")
	n, err := strconv.ParseUint(offset, 10, 64)
	if err != nil {
		return nil, after, false
	}
	msg = &surewire.Message{Time: time.Now()}
	msg.Data, msg.Ephemeral = m.Data, true
	if readMeta(&msg.Publication, first(m.Header, metaHeader)) != nil {
		return nil, after, false
	}
	return msg, surewire.Position{Epoch: epoch, Offset: n}, true
}

func readMeta(p *surewire.Publication, text string) error {
	if text == "" {
		return nil
	}
	var m meta
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	p.ID, p.Kind, p.TTL, p.Tags = m.ID, surewire.Kind(m.Kind), m.TTL, m.Tags
	if m.Trace != "" {
		p.Trace = &surewire.Trace{Parent: m.Trace}
	}
	if i := m.Info; i != nil {
		p.Info = &surewire.ClientInfo{Client: i.Client, User: i.User, Conn: i.Conn, Chan: i.Chan}
	}
	return nil
}

// first is Header.Get: names are written as above.
func first(h nats.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
