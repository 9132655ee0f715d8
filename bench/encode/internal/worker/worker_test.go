package worker

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/bench/encode/internal/measure"
	"github.com/surewire/surewire/bench/encode/internal/peer"
	"github.com/surewire/surewire/bench/encode/internal/values"
)

func TestServe(t *testing.T) {
	questions, ask := io.Pipe()
	answer, answers := io.Pipe()
	ended := make(chan error)
	go func() { ended <- Serve(questions, answers) }()
	c, err := NewClient(answer, ask)
	if err != nil {
		t.Fatal(err)
	}
	name := c.Encoders()[0].Name
	for range 2 {
		s, err := c.Measure(measure.Key{Encoder: name, Value: "a-event", Mode: "fresh"}, time.Millisecond)
		if err != nil || s.NS <= 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	ask.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServeRefuses(t *testing.T) {
	var out bytes.Buffer
	if err := Serve(strings.NewReader(`{"Key":{"Encoder":"nosuch"}}`), &out); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("an encoder that is not there: %v", err)
	}
	if err := Serve(strings.NewReader("hello\n"), &out); err == nil {
		t.Error("a line that is no request was taken")
	}
}

func TestClientSeesTheEnd(t *testing.T) {
	c, err := NewClient(strings.NewReader("{}"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Measure(measure.Key{}, time.Second); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("got %v", err)
	}
}

// TestStart builds the file that no other test compiles.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the standard library once more")
	}
	var stderr bytes.Buffer
	c, stop, err := Start(t.Context(), &stderr)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range c.Encoders() {
		names = append(names, e.Name)
		for _, v := range values.All() {
			d, format := c.Difference(e.Name, v.Name), strings.HasPrefix(e.Name, "std-v2") && v.Name == "a-event"
			if format && d != "/final is added: false" || !format && d != "" {
				t.Errorf("%s on %s: %s", e.Name, v.Name, d)
			}
		}
		if s, err := c.Measure(measure.Key{Encoder: e.Name, Value: "e-chat", Mode: "reuse"}, time.Millisecond); err != nil || s.NS <= 0 {
			t.Errorf("%s: %+v, %v", e.Name, s, err)
		}
	}
	if !slices.Equal(names, peer.EngineNames) {
		t.Errorf("the worker has %q, want %q", names, peer.EngineNames)
	}
	if err := stop(); err != nil || stderr.Len() > 0 {
		t.Errorf("at the end: %v, %q", err, &stderr)
	}
}
