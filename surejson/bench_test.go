package surejson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/surewire/surewire/surejson"
)

// The five values of the benchmarks: an event as a struct, the same as a map,
// the result of a tool, a long result, and a chat message beyond ASCII.

type event struct {
	Type      string       `json:"type"`
	RunID     fastID       `json:"run_id"`
	Agent     string       `json:"agent_name"`
	Timestamp time.Time    `json:"timestamp"`
	Seq       int          `json:"seq"`
	Final     bool         `json:"final,omitempty"`
	Payload   eventPayload `json:"payload"`
}

// fastID is an identifier with a MarshalText that allocates once.
type fastID uint64

func (f fastID) MarshalText() ([]byte, error) {
	const hex = "0123456789abcdef"
	b := make([]byte, 8)
	for i := range b {
		b[i] = hex[f>>(4*i)&15]
	}
	return b, nil
}

type eventPayload struct {
	Thought  string   `json:"thought"`
	Progress float64  `json:"progress"`
	Step     int      `json:"step"`
	Tool     string   `json:"tool,omitempty"`
	Tags     []string `json:"tags,omitempty"`
}

type toolResult struct {
	Type   string         `json:"type"`
	RunID  fastID         `json:"run_id"`
	Tool   string         `json:"tool_name"`
	Took   time.Duration  `json:"duration"`
	Input  map[string]any `json:"input"`
	Rows   []row          `json:"rows"`
	Output string         `json:"output"`
}

type row struct {
	ID      fastID            `json:"id"`
	Title   string            `json:"title"`
	Score   float64           `json:"score"`
	When    time.Time         `json:"when"`
	Tags    []string          `json:"tags"`
	Labels  map[string]string `json:"labels,omitempty"`
	Parent  *int64            `json:"parent"`
	Visible bool              `json:"visible"`
}

func rows(n int) []row {
	list := make([]row, n)
	for i := range list {
		parent := int64(i * 7)
		list[i] = row{
			ID: fastID(i) * 0x9E3779B97F4A7C15, Title: fmt.Sprintf("Result number %d of the search for \"sockets\"", i), Score: 0.5 + float64(i)/7,
			When: time.Date(2026, 11, 22, 10, i%60, 5, 123456000*(i%7), time.UTC), Tags: []string{"search", "web", "cached"},
			Parent: &parent, Visible: i%2 == 0,
		}
		if i%2 == 0 {
			list[i].Labels = map[string]string{"lang": "en", "source": "index", "host": "example.org"}
		}
	}
	return list
}

func benchmarkValues() []struct {
	name  string
	value any
} {
	when := time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)
	return []struct {
		name  string
		value any
	}{
		{"a-event", &event{Type: "agent_thinking", RunID: 0x9E3779B97F4A7C15, Agent: "planner", Timestamp: when, Seq: 42,
			Payload: eventPayload{Thought: "Looking at the last answers", Progress: 0.75, Step: 3}}},
		{"b-eventmap", map[string]any{"type": "agent_thinking", "run_id": "517cc1b7", "agent_name": "planner", "timestamp": when, "seq": 42,
			"payload": map[string]any{"thought": "Looking at the last answers", "progress": 0.75, "step": 3}}},
		{"c-tool", &toolResult{Type: "tool_completed", RunID: 7, Tool: "search", Took: time.Second, Rows: rows(6),
			Input: map[string]any{"q": "sockets", "limit": 6.0, "filters": []any{"web", "recent", true}}, Output: strings.Repeat("line of output\n", 20)}},
		{"d-large", map[string]any{"type": "result", "rows": rows(360), "log": strings.Repeat("a longer line of the log, with \"quotes\" here and there\n", 200)}},
		{"e-chat", map[string]any{"role": "assistant", "content": strings.Repeat("Привет, мир! こんにちは世界。Voilà — c'est déjà l'été 😀. ", 12)}},
	}
}

func BenchmarkAppend(b *testing.B) {
	var e surejson.Encoder
	for _, v := range benchmarkValues() {
		b.Run(v.name, func(b *testing.B) {
			out, r := e.Append(nil, v.value)
			if !r.Clean() {
				b.Fatal(r.Err())
			}
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				out, _ = e.Append(out[:0], v.value)
			}
		})
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	for _, v := range benchmarkValues() {
		b.Run(v.name, func(b *testing.B) {
			var out bytes.Buffer
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(false)
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := e.Encode(v.value); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(out.Len()))
		})
	}
}

func BenchmarkMarshal(b *testing.B) {
	for _, v := range benchmarkValues() {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				surejson.Marshal(v.value)
			}
		})
	}
}

func BenchmarkRepair(b *testing.B) {
	for _, c := range []struct {
		name  string
		value any
	}{
		{"chan in event", map[string]any{"type": "x", "run_id": "y", "payload": map[string]any{"c": make(chan int), "n": 1}}},
		{"panic in event", map[string]any{"type": "x", "run_id": "y", "payload": map[string]any{"c": jsonPanic{}, "n": 1}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var out []byte
			var e surejson.Encoder
			for b.Loop() {
				out, _ = e.Append(out[:0], c.value)
			}
		})
	}
}

func TestBenchmarkValuesAsEncodingJSON(t *testing.T) {
	for _, v := range benchmarkValues() {
		mustMatch(t, v.value)
	}
}
