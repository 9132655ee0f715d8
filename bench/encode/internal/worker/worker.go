// Package worker measures in another process: the encoders of encoding/json
// on the engine of v2 are in a binary of their own, since the engine is chosen
// when a binary is built. The two processes take turns, so that their samples
// are from the same minutes.
package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/surewire/surewire/bench/encode/internal/measure"
	"github.com/surewire/surewire/bench/encode/internal/peer"
	"github.com/surewire/surewire/bench/encode/internal/values"
)

// A hello is the first line that a worker writes.
type hello struct {
	Encoders    []peer.Info
	Differences map[string]map[string]string // by encoder and value
}

// A request is a line that a worker reads.
type request struct {
	Key    measure.Key
	Budget time.Duration
}

// A response is the line that answers a request.
type response struct {
	Sample measure.Sample
	Error  string
}

// Serve measures the encoders of the standard library as asked on in, until
// it ends.
func Serve(in io.Reader, out io.Writer) error {
	h := hello{Differences: map[string]map[string]string{}}
	codecs := map[measure.Key]func() ([]byte, error){}
	for _, e := range peer.Engine() {
		h.Encoders = append(h.Encoders, e.Info)
		h.Differences[e.Name] = map[string]string{}
		for _, v := range values.All() {
			h.Differences[e.Name][v.Name] = e.Check(v)
			codec, _ := e.New(v) // the standard library takes all
			for _, mode := range peer.Modes {
				codecs[measure.Key{Encoder: e.Name, Value: v.Name, Mode: mode}] = codec.Mode(mode)
			}
		}
	}
	write := json.NewEncoder(out)
	if err := write.Encode(h); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var q request
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		f := codecs[q.Key]
		if f == nil {
			return fmt.Errorf("asked for %v, which is not here", q.Key)
		}
		var r response
		var err error
		if r.Sample, err = measure.Run(f, q.Budget); err != nil {
			r.Error = err.Error()
		}
		if err := write.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// A Client asks a worker.
type Client struct {
	hello hello
	write *json.Encoder
	read  *json.Decoder
}

// NewClient reads the worker's first line.
func NewClient(in io.Reader, out io.Writer) (*Client, error) {
	c := &Client{write: json.NewEncoder(out), read: json.NewDecoder(in)}
	return c, c.read.Decode(&c.hello)
}

// Encoders returns what the worker measures.
func (c *Client) Encoders() []peer.Info { return c.hello.Encoders }

// Difference returns what Check found in the worker.
func (c *Client) Difference(encoder, value string) string {
	return c.hello.Differences[encoder][value]
}

// Measure has the worker measure. It is not for concurrent use.
func (c *Client) Measure(k measure.Key, budget time.Duration) (measure.Sample, error) {
	if err := c.write.Encode(request{k, budget}); err != nil {
		return measure.Sample{}, err
	}
	var r response
	if err := c.read.Decode(&r); err != nil {
		return measure.Sample{}, fmt.Errorf("the worker is gone: %w", err)
	}
	if r.Error != "" {
		return measure.Sample{}, errors.New(r.Error)
	}
	return r.Sample, nil
}
